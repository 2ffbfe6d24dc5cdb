namespace Ernie.Tokenization.Jinja;

/// <summary>Python's operators.</summary>
internal static class Operators
{
    /// <summary>Applies an arithmetic or comparison operator.</summary>
    /// <exception cref="TemplateError">It does not take these values.</exception>
    public static object? Apply(RenderState state, string symbol, object? left, object? right)
    {
        switch (symbol)
        {
            case "==": return Values.AreEqual(state, left, right);
            case "!=": return !Values.AreEqual(state, left, right);
            case "<": return Values.Compare(state, left, right) < 0;
            case "<=": return Values.Compare(state, left, right) <= 0;
            case ">": return Values.Compare(state, left, right) > 0;
            case ">=": return Values.Compare(state, left, right) >= 0;
            case "+" when left is TextValue a && right is TextValue b: return Concatenate(state, a, b);
            case "+" when left is ListValue a && right is ListValue b && a.IsTuple == b.IsTuple:
                state.Spend(a.Items.Count + b.Items.Count);
                return new ListValue([.. a.Items, .. b.Items], a.IsTuple);
            case "*" when left is TextValue or ListValue && right is long or bool: return Repeat(state, left, Values.ToLong(right));
            case "*" when left is long or bool && right is TextValue or ListValue: return Repeat(state, right, Values.ToLong(left));
            case "%" when left is TextValue format:
                state.SpendText(format.Text.Length);
                return TextFormat.Percent(state, format, right);
        }

        if (!Values.IsNumber(left) || !Values.IsNumber(right)) throw new TemplateError($"'{symbol}' does not take {Values.TypeName(left)} and {Values.TypeName(right)}");
        try
        {
            bool isFloat = left is double || right is double || symbol == "/" || (symbol == "**" && Values.ToDouble(right) < 0);
            return isFloat ? (object)Calculate(symbol, Values.ToDouble(left), Values.ToDouble(right)) : Calculate(symbol, Values.ToLong(left), Values.ToLong(right));
        }
        catch (OverflowException)
        {
            throw new TemplateError($"the result of '{symbol}' is too large");
        }
    }

    /// <summary>Joins two texts.</summary>
    public static TextValue Concatenate(RenderState state, TextValue left, TextValue right)
    {
        if (left.Text.Length == 0) return right;
        return right.Text.Length == 0 ? left : state.Finish(state.NewText().Append(left).Append(right));
    }

    /// <summary>The negative of a number.</summary>
    public static object? Negate(object? value) => value switch
    {
        double number => (object)-number,
        long.MinValue => throw new TemplateError("the number is too large"),
        long or bool => -Values.ToLong(value),
        _ => throw new TemplateError($"'-' does not take {Values.TypeName(value)}"),
    };

    private static object? Repeat(RenderState state, object? value, long count)
    {
        count = Math.Max(0, count);
        if (value is TextValue text)
        {
            if (text.Text.Length == 0 || count == 0) return TextValue.Empty;
            state.SpendNewText(count > int.MaxValue ? long.MaxValue >> 1 : count * text.Text.Length);
            TextBuilder result = state.NewText();
            for (long index = 0; index < count; index++) result.Append(text);
            return result.ToValue();
        }

        var list = (ListValue)value!;   // not null: the caller matched the type
        state.Spend(list.Items.Count == 0 ? 0 : Math.Min(count, int.MaxValue) * list.Items.Count);
        List<object?> items = [];
        for (long index = 0; index < count && list.Items.Count > 0; index++) items.AddRange(list.Items);
        return new ListValue(items, list.IsTuple);
    }

    private static double Calculate(string symbol, double left, double right) => symbol switch
    {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => right != 0 ? left / right : throw new TemplateError("division by zero"),
        "//" => right != 0 ? Math.Floor(left / right) : throw new TemplateError("division by zero"),
        "%" => right != 0 ? left - (right * Math.Floor(left / right)) : throw new TemplateError("division by zero"),
        _ => Math.Pow(left, right),
    };

    private static long Calculate(string symbol, long left, long right)
    {
        if (symbol is "//" or "%" && right == 0) throw new TemplateError("division by zero");
        checked
        {
            return symbol switch
            {
                "+" => left + right,
                "-" => left - right,
                "*" => left * right,
                // Python rounds towards minus infinity, and the remainder has the divisor's sign.
                "//" => (left / right) - (left % right != 0 && (left < 0) != (right < 0) ? 1 : 0),
                "%" => right == -1 ? 0L : ((left % right) + right) % right,
                _ => Power(left, right),
            };
        }
    }

    private static long Power(long value, long exponent)
    {
        long result = 1;
        while (exponent > 0)
        {
            if ((exponent & 1) != 0) result = checked(result * value);
            exponent >>= 1;
            if (exponent > 0) value = checked(value * value);
        }

        return result;
    }
}
