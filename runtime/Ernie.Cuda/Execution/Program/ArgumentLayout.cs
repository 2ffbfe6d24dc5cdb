using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ernie.Cuda.Execution;

/// <summary>Where the fields of a kernel's argument struct lie; launches name them, and a test compares them with the kernels' side.</summary>
internal sealed class ArgumentLayout
{
    private static readonly Dictionary<string, ArgumentLayout> s_layouts = ((ArgumentLayout[])
    [
        Of<EmbedArguments>("EmbedArgs"),
        Of<NormArguments>("NormArgs"),
        Of<LinearDecodeArguments>("LinearDecodeArgs"),
        Of<LinearTileArguments>("LinearTileArgs"),
        Of<LinearWgmmaArguments>("LinearWgmmaArgs"),
        Of<LinearTileFloat8Arguments>("LinearTileFloat8Args"),
        Of<LinearFloat8Arguments>("LinearFloat8Args"),
        Of<QuantizeRowsArguments>("QuantizeRowsArgs"),
        Of<AttentionArguments>("AttentionArgs"),
        Of<AttentionTensorArguments>("AttentionTensorArgs"),
        Of<StoreCacheArguments>("StoreCacheArgs"),
    ]).ToDictionary(layout => layout.Name);

    private readonly Dictionary<string, ArgumentField> _byName;

    private ArgumentLayout(string name, int size, IReadOnlyList<ArgumentField> fields)
    {
        Name = name;
        Size = size;
        Fields = fields;
        _byName = fields.ToDictionary(field => field.Name);
    }

    /// <summary>Name of the struct in namespace ernie.</summary>
    public string Name { get; }

    /// <summary>Bytes of the struct.</summary>
    public int Size { get; }

    /// <summary>Its fields in order, those of fields among them.</summary>
    public IReadOnlyList<ArgumentField> Fields { get; }

    /// <summary>A field.</summary>
    /// <param name="field">Its name.</param>
    /// <exception cref="InvalidOperationException">There is none of that name.</exception>
    public ArgumentField this[string field] =>
        _byName.TryGetValue(field, out ArgumentField? found) ? found : throw new InvalidOperationException($"ernie::{Name} has no field {field}.");

    /// <summary>The layout of a struct that launches name.</summary>
    /// <param name="name">Its name in namespace ernie.</param>
    /// <exception cref="InvalidOperationException">No struct of this side has that name.</exception>
    public static ArgumentLayout For(string name) =>
        s_layouts.TryGetValue(name, out ArgumentLayout? layout) ? layout : throw new InvalidOperationException($"No struct here is ernie::{name}.");

    /// <summary>The layout of a struct.</summary>
    /// <typeparam name="T">The struct.</typeparam>
    /// <param name="name">Its name in namespace ernie.</param>
    public static ArgumentLayout Of<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields | DynamicallyAccessedMemberTypes.NonPublicFields)] T>(string name)
        where T : unmanaged
    {
        List<ArgumentField> fields = [];
        foreach (FieldInfo field in typeof(T).GetFields(BindingFlags.Instance | BindingFlags.Public))
        {
            int offset = (int)Marshal.OffsetOf<T>(field.Name);
            if (Inner(field.FieldType) is { } inner)
                fields.AddRange(inner.Fields.Select(part => new ArgumentField($"{field.Name}.{part.Name}", offset + part.Offset, part.Size)));
            else
                fields.Add(new ArgumentField(field.Name, offset, SizeOf(field.FieldType)));
        }

        return new ArgumentLayout(name, Unsafe.SizeOf<T>(), fields);
    }

    // Fields whose own fields launches name.
    private static ArgumentLayout? Inner(Type type) =>
        type == typeof(EpilogueArguments) ? Of<EpilogueArguments>("EpilogueArgs")
        : type == typeof(QuantizedRows) ? Of<QuantizedRows>("QuantizedRows")
        : type == typeof(AttentionArguments) ? Of<AttentionArguments>("AttentionArgs")
        : type == typeof(SlotTableArguments) ? Of<SlotTableArguments>("SlotTables")
        : null;

    private static int SizeOf(Type type) =>
        type == typeof(TensorMap) ? Unsafe.SizeOf<TensorMap>()
        : type == typeof(ulong) || type == typeof(long) ? sizeof(ulong)
        : type == typeof(int) || type == typeof(uint) || type == typeof(float) ? sizeof(int)
        : 0; // Arrays within a struct: no launch names them.
}
