using System.Runtime.InteropServices;

// The argument structs of kernels-templates, field by field. Pointers are device addresses.
#pragma warning disable CA1051 // Fields: their order and layout are the contract.

namespace Ernie.Cuda.Execution;

/// <summary>ernie::EpilogueArgs.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct EpilogueArguments
{
    public ulong Query, Keys, Values, Rotations, Places, PageTable;
    public int PagesPerSlot, OutputStride;
    public ulong Output, Activation;
}

/// <summary>ernie::LinearDecodeArgs.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LinearDecodeArguments
{
    public ulong Weight, Scales, Input, Gain, InputRows, TokenCount;
    public int TokenCapacity;
    public EpilogueArguments Epilogue;
}

/// <summary>ernie::LinearTileArgs.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LinearTileArguments
{
    public ulong Weight, Scales, Input, TokenCount;
    public EpilogueArguments Epilogue;
}

/// <summary>ernie::LinearWgmmaArgs; there the maps are aligned to 64 bytes, so the size is rounded up to a multiple of that.</summary>
[StructLayout(LayoutKind.Sequential, Size = 384)]
internal struct LinearWgmmaArguments
{
    public TensorMap Weight, Input;
    public ulong Scales, TokenCount, Squares, Gain, Prepared, NewSquares;
    public int SquareStride;
    public EpilogueArguments Epilogue;
}

/// <summary>ernie::QuantizedRows.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct QuantizedRows
{
    public ulong Codes, Factors;
    public int Stride;
}

/// <summary>ernie::LinearTileFloat8Args.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LinearTileFloat8Arguments
{
    public ulong Weight, Scales;
    public QuantizedRows Input;
    public ulong TokenCount;
    public EpilogueArguments Epilogue;
}

/// <summary>ernie::LinearFloat8Args; there the maps are aligned to 64 bytes, so the size is rounded up to a multiple of that.</summary>
[StructLayout(LayoutKind.Sequential, Size = 448)]
internal struct LinearFloat8Arguments
{
    public TensorMap Weight, Input;
    public ulong Scales, InputFactors, TokenCount, Squares, Gain, NewSquares;
    public QuantizedRows Quantized;
    public int TokenTiles;
    public EpilogueArguments Epilogue;
}

/// <summary>ernie::QuantizeRowsArgs.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct QuantizeRowsArguments
{
    public ulong Input, TokenCount;
    public QuantizedRows Output;
}

/// <summary>ernie::ExpandWeightsArgs.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ExpandWeightsArguments
{
    public ulong Weight, Scales, Output;
    public int Inputs;
}

/// <summary>ernie::NormArgs.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NormArguments
{
    public ulong Input, Gain, Rows, RowCount, Output, OutputFloat;
    public QuantizedRows Quantized;
}

/// <summary>ernie::EmbedArgs.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct EmbedArguments
{
    public ulong Header;
    public int RowCapacity;
    public ulong PageTable, LastToken, Embedding, Residual, Places, Gain, Prepared, Squares;
    public int SquareStride;
    public QuantizedRows Quantized;
}

/// <summary>ernie::AttentionArgs.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AttentionArguments
{
    public ulong Query, Keys, Values, KeyScales, ValueScales, NewKeys, NewValues, PageTable, Output, Header, Tiles, Partials, Arrivals;
    public int PagesPerSlot, RowCapacity, DecodeRows;
}

/// <summary>ernie::AttentionTensorArgs; there the maps are aligned to 64 bytes, so the size is rounded up to a multiple of that.</summary>
[StructLayout(LayoutKind.Sequential, Size = 448)]
internal struct AttentionTensorArguments
{
    public TensorMap Keys, Values;
    public AttentionArguments Attention;
    public QuantizedRows Quantized;
}

/// <summary>ernie::StoreCacheArgs.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct StoreCacheArguments
{
    public ulong Keys, Values, KeyPages, ValuePages, KeyScales, ValueScales, Places, PageTable, TokenCount;
    public int PagesPerSlot;
}

/// <summary>ernie::CopyPageArgs.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CopyPageArguments
{
    public ulong Pages;
    public long PartStride;
    public int PageSize, From, To;
}

/// <summary>ernie::SlotTables.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SlotTableArguments
{
    public ulong States, Stops, Tails, Counts, LastToken, Scratch, Processors, Masks;
}

/// <summary>ernie::SetSlotArgs.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SetSlotArguments
{
    public SlotTableArguments Tables;
    public ulong Tokens;
    public int TokenCount, Slot;
}

/// <summary>ernie::SampleArgs.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SampleArguments
{
    public ulong Header, Logits;
    public SlotTableArguments Tables;
    public ulong Records, Arrivals, Channels, Kept, IsKept;
    public int LogitStride, RowCapacity;
}

/// <summary>ernie::LogProbabilityArgs.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LogProbabilityArguments
{
    public ulong Logits, Kept, IsKept, Header, Wishes, LastToken, Parts, Bests, Arrivals, Records;
    public int LogitStride;
    public uint Stamp;
    public int Ring, RingStride;
}

/// <summary>ernie::LogProbabilityWish.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LogProbabilityWish
{
    public int LogitRow, Token, Slot, Rivals;
}

/// <summary>ernie::LogProbabilityRecord.</summary>
[StructLayout(LayoutKind.Sequential, Size = 192)]
internal unsafe struct LogProbabilityRecord
{
    public int Token, Rank;
    public float Logit;
    public uint Stamp;
    public double LogSum;
    public fixed int Rivals[Kernels.LogProbabilityKernel.MostRivals];
    public fixed float RivalLogits[Kernels.LogProbabilityKernel.MostRivals];
}

/// <summary>ernie::PersistentLayer.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PersistentLayer
{
    public ulong QueryKeyValue, Output, GateUp, Down;
    public ulong QueryKeyValueScales, OutputScales, GateUpScales, DownScales;
    public ulong InputNorm, PostAttentionNorm, Keys, Values;
}

/// <summary>ernie::PersistentArgs.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PersistentArguments
{
    public ulong Header, PageTable, LastToken, Embedding, Places, Layers, FinalNorm, Head, HeadScales, Rotations, Logits, Words, Trace, Note;
    public int RowCapacity, PagesPerSlot;
}

/// <summary>ernie::StepHeader.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct StepHeader
{
    public int RowCount, TokenCount, LogitCount, UpdateCount, UpdatesOffset, TokensOffset, TokensOnDevice;
    public uint Sequence;
    public int WishCount, WishesOffset, Unused0, Unused1;
}

/// <summary>ernie::SlotState.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SlotState
{
    public fixed byte Parameters[64];
    public uint SeedLow, SeedHigh, Stream;
    public int Sampler, CountsTokens, PromptLength, MinTokens, MaxLength, StopCount;
    public uint Processors; // a bit for each that the request uses
    public int End; // RowEnd; the device's
    public int KeepsLogits; // LogitStage and one more; 0 keeps none
    public fixed int Reserved[4];
}
