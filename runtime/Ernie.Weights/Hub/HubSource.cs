namespace Ernie.Weights;

/// <summary>A model hub whose interface is known.</summary>
public enum HubSource
{
    /// <summary>huggingface.co or a mirror of it.</summary>
    HuggingFace,

    /// <summary>modelscope.cn.</summary>
    ModelScope,

    /// <summary>git.aistudio.baidu.com.</summary>
    AiStudio,
}
