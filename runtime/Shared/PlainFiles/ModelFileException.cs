namespace Ernie.PlainFiles;

/// <summary>A file of a model that cannot be read; the message is a predicate without the file's name: <c>is a directory; a file is needed</c>.</summary>
internal sealed class ModelFileException(string problem, Exception? inner = null) : IOException(problem, inner);
