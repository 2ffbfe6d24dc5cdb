using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Ernie.Abstractions.Tests;

/// <summary>An assembly's public surface as text: one line per member, sorted, so that a change of the contract is a change of a file.</summary>
internal static class PublicApi
{
    private const BindingFlags Members = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static string Describe(Assembly assembly) =>
        string.Concat(assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal).Select(Describe));

    private static string Describe(Type type)
    {
        string kind = type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct"
            : type.IsAbstract && type.IsSealed ? "static class" : type.IsAbstract ? "abstract class" : type.IsSealed ? "sealed class" : "class";
        IEnumerable<string> members = type.IsEnum
            ? Enum.GetNames(type).Select(name => string.Create(CultureInfo.InvariantCulture, $"{name} = {Convert.ToInt64(Enum.Parse(type, name), CultureInfo.InvariantCulture)}"))
            : type.GetMembers(Members).Select(Line).OfType<string>().Order(StringComparer.Ordinal);
        return $"{kind} {type.Namespace}.{Name(type)}\n{string.Concat(members.Select(member => $"    {member}\n"))}";
    }

    private static string? Line(MemberInfo member) => member switch
    {
        _ when member.IsDefined(typeof(CompilerGeneratedAttribute)) && member is not MethodInfo { Name: "Deconstruct" } => null,
        FieldInfo { IsPublic: true } field => field.IsLiteral
            ? string.Create(CultureInfo.InvariantCulture, $"const {Name(field.FieldType)} {field.Name} = {field.GetRawConstantValue()}") : $"field {Name(field.FieldType)} {field.Name}",
        PropertyInfo property when property.GetAccessors(true).Any(IsVisible) =>
            $"{Static(property.GetAccessors(true)[0])}{Name(property.PropertyType)} {property.Name} {{{Accessor(property.GetMethod, " get;")}{Accessor(property.SetMethod, IsInit(property) ? " init;" : " set;")} }}",
        ConstructorInfo constructor when IsVisible(constructor) => $"new({Parameters(constructor)})",
        MethodInfo { IsSpecialName: false } method when IsVisible(method) => $"{Static(method)}{Name(method.ReturnType)} {method.Name}({Parameters(method)})",
        _ => null,
    };

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Accessor(MethodInfo? method, string text) => method is not null && IsVisible(method) ? text : "";

    private static bool IsInit(PropertyInfo property) =>
        property.SetMethod?.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) == true;

    private static string Static(MethodBase method) => method.IsStatic ? "static " : method.IsFamily ? "protected " : "";

    private static string Parameters(MethodBase method) =>
        string.Join(", ", method.GetParameters().Select(parameter => $"{Name(parameter.ParameterType)} {parameter.Name}{(parameter.HasDefaultValue ? " = " + (parameter.DefaultValue ?? "null") : "")}"));

    private static string Name(Type type)
    {
        if (type.IsByRef)
            return "ref " + Name(type.GetElementType()!); // a reference has a target
        if (type.IsArray)
            return Name(type.GetElementType()!) + "[]"; // an array has elements
        if (!type.IsGenericType)
            return type.Name;
        return $"{type.Name[..(type.Name.IndexOf('`') is var tick and >= 0 ? tick : type.Name.Length)]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
    }
}
