using System.Runtime.CompilerServices;
using Ernie.Cuda.Compilation;
using Ernie.Kernels;

namespace Ernie.Cuda.Execution;

/// <summary>Writes the arguments of a program's launches: names become addresses, once, at start.</summary>
internal sealed class ProgramBinder(
    KernelPlan plan, KernelLibrary kernels, DeviceWeights weights, DeviceBuffers buffers, KeyValuePool pool, StepLayout layout, bool overlaps)
{
    // A handful of buffers and tile sizes: each is described once.
    private readonly Dictionary<(string Buffer, int Columns, int BoxRows), TensorMap> _inputMaps = [];
    private readonly Dictionary<ulong, TensorMap> _pageMaps = [];

    /// <summary>Binds the launches of some ranges.</summary>
    public BoundRange[] Bind(IEnumerable<ProgramRange> ranges) =>
        [.. ranges.Select(range => new BoundRange(range.MostRows, [.. range.Launches.Select(Bind)]))];

    private BoundLaunch Bind(Launch launch)
    {
        CudaKernel kernel = kernels[launch.Kernel];
        var arguments = ArgumentLayout.For(launch.Kernel.Arguments);
        byte[] block = new byte[arguments.Size];
        List<StepPatch> patches = [];
        foreach (Operand operand in launch.Operands)
        {
            ArgumentField field = arguments[operand.Field];
            Span<byte> place = block.AsSpan(field.Offset, field.Size);
            if (operand is StepOperand step)
            {
                CheckSize(launch, field, step.Value is StepValue.Rows or StepValue.RowTiles or StepValue.DecodeRows ? sizeof(int) : sizeof(ulong));
                patches.Add(new StepPatch(field.Offset, step.Value, step.TileRows));
            }
            else if (Number(operand) is { } number)
            {
                Write(launch, field, place, number);
            }
            else if (Map(operand) is { } map)
            {
                Write(launch, field, place, map);
            }
            else
            {
                Write(launch, field, place, Address(operand));
            }
        }

        GridRule grid = launch.Grid.NeedsDevice
            ? launch.Grid.OnDevice(plan.Device.Multiprocessors * Math.Max(1, kernel.BlocksPerMultiprocessor())) : launch.Grid;
        return new BoundLaunch(kernel, grid, launch.Condition, overlaps && launch.Edge == LaunchEdge.Dependent, block, [.. patches]);
    }

    private static void Write<T>(Launch launch, ArgumentField field, Span<byte> place, T value)
        where T : unmanaged
    {
        CheckSize(launch, field, Unsafe.SizeOf<T>());
        Unsafe.WriteUnaligned(ref place[0], value);
    }

    private static void CheckSize(Launch launch, ArgumentField field, int size)
    {
        if (field.Size != size)
            throw new InvalidOperationException($"{launch.Kernel.Name} of '{launch.Operation}' is given {size} bytes for {launch.Kernel.Arguments}.{field.Name}, which has {field.Size}.");
    }

    private int? Number(Operand operand) => operand switch
    {
        NumberOperand number => number.Value,
        SizeOperand { Size: CapacitySize.RowCapacity } => layout.RowCapacity,
        SizeOperand { Size: CapacitySize.PagesPerSlot } => layout.PagesPerSlot,
        SizeOperand => buffers.SquareStride,
        _ => null,
    };

    private TensorMap? Map(Operand operand) => operand switch
    {
        MapOperand map => InputMap(map),
        WeightOperand { Part: WeightPart.PlainMap } weight => weights[weight.Weight].PlainWeight,
        WeightOperand { Part: WeightPart.PackedMap } weight => weights[weight.Weight].PackedWeight,
        CacheOperand { Part: CachePart.KeyMap } cache => PageMap(pool.Keys(cache.Layer)),
        CacheOperand { Part: CachePart.ValueMap } cache => PageMap(pool.Values(cache.Layer)),
        _ => null,
    };

    private ulong Address(Operand operand) => operand switch
    {
        BufferOperand buffer => buffers[buffer.Buffer] + (ulong)buffer.Offset,
        TensorOperand tensor => weights[tensor.Tensor],
        WeightOperand { Part: WeightPart.Elements } weight => weights[weight.Weight].Weight,
        WeightOperand weight => weights[weight.Weight].Scales,
        RotationOperand => weights.Rotations,
        CacheOperand { Part: CachePart.Keys } cache => pool.Keys(cache.Layer),
        CacheOperand { Part: CachePart.Values } cache => pool.Values(cache.Layer),
        CacheOperand { Part: CachePart.KeyScales } cache => pool.KeyScales(cache.Layer),
        CacheOperand cache => pool.ValueScales(cache.Layer),
        _ => throw new InvalidOperationException($"'{operand}' has no address."),
    };

    private TensorMap InputMap(MapOperand operand)
    {
        if (!_inputMaps.TryGetValue((operand.Buffer, operand.Columns, operand.BoxRows), out TensorMap map))
        {
            int rows = Math.Max(layout.TokenCapacity, layout.RowCapacity);
            ulong address = buffers[operand.Buffer];
            map = operand.IsBytes ? TensorMap.OfBytes(address, rows, operand.Columns, operand.BoxRows) : TensorMap.Of(address, rows, operand.Columns, operand.BoxRows);
            _inputMaps.Add((operand.Buffer, operand.Columns, operand.BoxRows), map);
        }

        return map;
    }

    private TensorMap PageMap(ulong address)
    {
        if (!_pageMaps.TryGetValue(address, out TensorMap map))
        {
            map = pool.Map(address);
            _pageMaps.Add(address, map);
        }

        return map;
    }
}
