namespace Ernie.Tokenization.Jinja;

/// <summary>What <c>set</c> and <c>for</c> assign to: a name, several of them, or an attribute of a namespace.</summary>
internal sealed class Assignment
{
    private readonly string[] _names;
    private readonly bool _unpacks;
    private readonly string? _attribute;

    private Assignment(string[] names, bool unpacks, string? attribute) => (_names, _unpacks, _attribute) = (names, unpacks, attribute);

    /// <summary>Reads a target.</summary>
    /// <param name="tokens">The tokens.</param>
    /// <param name="allowAttribute">Whether <c>name.attribute</c> is one.</param>
    public static Assignment Parse(TokenStream tokens, bool allowAttribute)
    {
        bool parenthesised = tokens.TakeOperator("(");
        List<string> names = [tokens.Expect(TokenKind.Name, "a variable's name").Text];
        if (allowAttribute && !parenthesised && tokens.TakeOperator(".")) return new Assignment([.. names], false, tokens.Expect(TokenKind.Name, "an attribute's name").Text);
        bool unpacks = false;
        while (tokens.TakeOperator(","))
        {
            unpacks = true;
            if (tokens.Current.Kind != TokenKind.Name || tokens.Current.Text == "in") break;
            names.Add(tokens.Take().Text);
        }

        if (parenthesised) tokens.Expect(")");
        return new Assignment([.. names], unpacks, null);
    }

    /// <summary>Assigns.</summary>
    /// <exception cref="TemplateError">The value has another number of items, or the attribute's owner is no namespace.</exception>
    public void Assign(RenderState state, object? value)
    {
        Scope scope = state.Scope;
        if (_attribute is not null)
        {
            if (!scope.TryGet(_names[0], out object? owner) || owner is not NamespaceValue space) throw new TemplateError($"'{_names[0]}' is no namespace, so '{_attribute}' cannot be set on it");
            space.Attributes[_attribute] = value;
        }
        else if (!_unpacks)
        {
            scope.Set(_names[0], value);
        }
        else
        {
            List<object?> items = Values.Items(state, value);
            if (items.Count != _names.Length) throw new TemplateError($"{items.Count} values are assigned to {_names.Length} names");
            for (int index = 0; index < items.Count; index++) scope.Set(_names[index], items[index]);
        }
    }
}
