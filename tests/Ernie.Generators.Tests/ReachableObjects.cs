using System.Collections;
using System.Reflection;

namespace Ernie.Generators.Tests;

/// <summary>Walks everything that an object holds.</summary>
internal static class ReachableObjects
{
    /// <summary>Fails when an object of Roslyn can be reached: it would keep whole compilations alive and compare by reference.</summary>
    public static void AssertNoneOfRoslyn(object root, string path)
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var pending = new Stack<(object Value, string Path)>([(root, path)]);
        while (pending.TryPop(out (object Value, string Path) next))
        {
            Type type = next.Value.GetType();
            Assert.False(type.FullName!.StartsWith("Microsoft.CodeAnalysis", StringComparison.Ordinal), $"{next.Path} is a {type}.");
            if (type.IsPrimitive || next.Value is string || !seen.Add(next.Value))
            {
                continue;
            }

            if (next.Value is IEnumerable items)
            {
                foreach (object? item in items)
                {
                    Push(item, next.Path + "[]");
                }
            }

            for (Type? declaring = type; declaring is not null; declaring = declaring.BaseType)
            {
                foreach (FieldInfo field in declaring.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                {
                    Push(field.GetValue(next.Value), $"{next.Path}.{field.Name}");
                }
            }
        }

        void Push(object? value, string at)
        {
            if (value is not null)
            {
                pending.Push((value, at));
            }
        }
    }
}
