// Copies a page of the cache, in all layers: a sequence whose whole text is cached writes its last token into a page of its own.
//   launch   one block of Spec::kThreads per part of the page: the keys, or the values, of a layer (or the factors of these)
#pragma once
#include "ernie/common/device.cuh"

namespace ernie {

struct CopyPageArgs {
    uint4* pages;          // of the first part, from page 0 on; the other parts lie part_stride apart
    long long part_stride; // of 16 bytes, as are all sizes here
    int page_size;         // of one part
    int from, to;          // pages
};

template <class Spec>
__device__ void copy_page(const CopyPageArgs& args) {
    wait_for_previous_kernel();
    uint4* part = args.pages + blockIdx.x * args.part_stride;
    const uint4* source = part + static_cast<long long>(args.from) * args.page_size;
    uint4* target = part + static_cast<long long>(args.to) * args.page_size;
#pragma unroll 4
    for (int i = threadIdx.x; i < args.page_size; i += Spec::kThreads) target[i] = source[i];
}

} // namespace ernie
