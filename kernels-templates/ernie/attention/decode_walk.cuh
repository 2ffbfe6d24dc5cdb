// How a block of decode attention goes through the pages of rows.
#pragma once
#include "ernie/attention/common.cuh"

namespace ernie {

// A place in the pages of a launch: a row, one of its kv heads, a page.
template <class Spec>
struct PageWalk {
    int row, head, key_count, page_count, token;
    const int* pages;
    int page; // index in the row
    int id;   // of that page
    int left; // pages still to come in this block's share, this one included

    __device__ __forceinline__ void enter_row(const AttentionArgs& args, const StepRows& rows) {
        key_count = rows.start[row] + 1;
        token = rows.token_offset[row];
        pages = args.page_table + static_cast<size_t>(rows.slot[row]) * args.pages_per_slot;
        page_count = (key_count + Spec::kTokensPerPage - 1) / Spec::kTokensPerPage;
    }

    __device__ __forceinline__ void find_page() {
        if (left > 0) id = pages[page];
    }

    __device__ __forceinline__ void advance(const AttentionArgs& args, const StepRows& rows) {
        left--;
        page += Spec::kClusterBlocks;
        if constexpr (Spec::kClusterBlocks == 1) {
            if (left > 0 && page >= page_count) {
                page = 0;
                if (++head == Spec::kKeyValueHeads) {
                    head = 0;
                    row++;
                    enter_row(args, rows);
                }
            }
        }
        find_page();
    }
};

} // namespace ernie
