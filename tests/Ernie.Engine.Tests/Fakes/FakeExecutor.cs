using Ernie.Caching;
using Ernie.Execution;

namespace Ernie.Engine.Tests.Fakes;

/// <summary>
/// Runs <see cref="PureModel"/> over tokens that it writes to and reads from pages through the page table, as a device would
/// keys and values. Allocates nothing per step.
/// </summary>
internal class FakeExecutor : IExecutor
{
    private readonly int[] _pages;
    private readonly Step[] _steps;
    private long _begun, _completed;

    public FakeExecutor(ExecutorInfo info)
    {
        Info = info;
        _pages = new int[info.PageCount * info.TokensPerPage];
        Array.Fill(_pages, -12345);
        _steps = new Step[info.MaxStepsInFlight];
        for (int i = 0; i < _steps.Length; i++)
        {
            _steps[i] = new Step(info);
        }
    }

    public ExecutorInfo Info { get; }

    public virtual IDeviceSampling? Sampling => null;

    /// <summary>Called with every batch, before it is computed.</summary>
    public Action<StepBatch>? OnBegin { get; set; }

    /// <summary>Called before every completion.</summary>
    public Action? OnComplete { get; set; }

    /// <summary>Makes it a device that stops after each token.</summary>
    public bool AcceptsNothing { get; set; }

    /// <summary>Makes it a device that goes on after a token that is not the draft.</summary>
    public bool AcceptsAnything { get; set; }

    public bool IsDisposed { get; private set; }

    public long TokensComputed { get; private set; }

    /// <summary>Rows computed that had logits to draw from.</summary>
    public long TokensDrawn { get; private set; }

    protected int[] LastSampled { get; } = new int[4096];

    public static ExecutorInfo Limits(
        int pages = 64, int tokensPerPage = 4, int sequences = 8, int batchedTokens = 64, int length = 128, int vocabulary = 50, int depth = 1, bool copies = false) => new()
        {
            Device = "fake",
            VocabularySize = vocabulary,
            PageCount = pages,
            TokensPerPage = tokensPerPage,
            MaxSequences = sequences,
            MaxBatchedTokens = batchedTokens,
            MaxModelLength = length,
            HiddenSize = 8,
            MaxStepsInFlight = depth,
            CopiesPages = copies,
        };

    public void Begin(StepBatch batch)
    {
        if (_begun - _completed == Info.MaxStepsInFlight)
        {
            throw new InvalidOperationException("Too many steps in flight.");
        }

        OnBegin?.Invoke(batch);
        Step step = _steps[_begun % _steps.Length];
        step.Copy(batch);
        _begun++;
    }

    public StepOutput Complete()
    {
        if (_begun == _completed)
        {
            throw new InvalidOperationException("No step is in flight.");
        }

        Step step = _steps[_completed++ % _steps.Length];
        OnComplete?.Invoke();
        Compute(step);
        return step;
    }

    public void Dispose() => IsDisposed = true;

    protected virtual (int Token, RowEnd End) SampleOnDevice(int slot, int position, Span<float> logits, ReadOnlySpan<uint> mask) => (-1, RowEnd.Undecided);

    // Runs as late as it may, with the inputs of its beginning: a page given away too early gives a wrong text.
    private void Compute(Step step)
    {
        foreach ((PageId from, PageId to) in step.Copies)
        {
            _pages.AsSpan(from.Index * Info.TokensPerPage, Info.TokensPerPage).CopyTo(_pages.AsSpan(to.Index * Info.TokensPerPage));
        }

        for (int row = 0; row < step.RowCount; row++)
        {
            int slot = step.Slot[row];
            ulong hash = 0;
            for (int position = 0; position < step.Start[row]; position++)
            {
                hash = PureModel.Hash(hash, _pages[step.Address(row, position)]);
            }

            for (int i = 0; i < step.Count[row]; i++)
            {
                int position = step.Start[row] + i;
                int token = step.Inputs[step.TokenOffset[row] + i];
                if (token == StepBatch.TokenOnDevice)
                {
                    token = LastSampled[slot];
                }

                _pages[step.Address(row, position)] = token;
                hash = PureModel.Hash(hash, token);
                step.HiddenHash[step.TokenOffset[row] + i] = hash;
                TokensComputed++;
                int index = i - (step.Count[row] - step.LogitCount[row]);
                if (index >= 0)
                {
                    PureModel.Logits(hash, step.LogitsOf(row, index));
                }
            }

            TokensDrawn += step.LogitCount[row] > 0 ? 1 : 0;
            (step.SampledCount[row], step.Ends[row]) = (0, RowEnd.Undecided);
            if (step.OnDevice[row])
            {
                Draw(step, row);
            }
        }
    }

    // What StepRowKind.Verify asks of a device. A row without drafts is one with none of them accepted.
    private void Draw(Step step, int row)
    {
        int slot = step.Slot[row], logits = step.LogitCount[row];
        int position = step.Start[row] + step.Count[row] - logits + 1;
        ReadOnlySpan<int> drafts = step.Inputs.AsSpan(step.TokenOffset[row] + 1 + step.Count[row] - logits, logits - 1);
        Span<int> drawn = step.SampledOf(row);
        for (int i = 0; i < logits; i++)
        {
            (int token, step.Ends[row]) = SampleOnDevice(slot, position + i, step.LogitsOf(row, i), step.MaskOf(row));
            if (token < 0)
            {
                return;
            }

            drawn[step.SampledCount[row]++] = token;
            LastSampled[slot] = token;
            if (step.Ends[row] != RowEnd.GoesOn || AcceptsNothing || (i < drafts.Length && token != drafts[i] && !AcceptsAnything))
            {
                return;
            }
        }
    }

    private sealed class Step : StepOutput
    {
        private readonly ExecutorInfo _info;
        private readonly PageId[] _table;
        private readonly int[] _logitOffset;
        private readonly (PageId From, PageId To)[] _copies;
        private float[] _logits;
        private readonly int[] _sampled;
        private int _copyCount;
        private readonly float[] _hidden;
        private readonly float[] _told, _rivalLogits;
        private readonly int[] _rivals;
        private readonly bool[] _hasMask;
        private readonly uint[] _masks;
        private readonly int _maskWords;

        public Step(ExecutorInfo info)
        {
            _info = info;
            int rows = info.MaxSequences;
            (Slot, Start, Count, TokenOffset, LogitCount, SampledCount, _logitOffset) =
                (new int[rows], new int[rows], new int[rows], new int[rows], new int[rows], new int[rows], new int[rows]);
            _sampled = new int[info.MaxBatchedTokens];
            OnDevice = new bool[rows];
            _hasMask = new bool[rows];
            _maskWords = (info.VocabularySize + 31) / 32;
            _masks = new uint[rows * _maskWords];
            Ends = new RowEnd[rows];
            Inputs = new int[info.MaxBatchedTokens];
            HiddenHash = new ulong[info.MaxBatchedTokens];
            _table = new PageId[rows * info.MaxPagesPerSequence];
            _logits = new float[rows * info.VocabularySize];
            _hidden = new float[info.HiddenSize];
            _told = new float[info.VocabularySize];
            _rivals = new int[info.VocabularySize];
            _rivalLogits = new float[info.VocabularySize];
            (Logprob, PromptLogprob, NextToken) = (new int[rows], new int[rows], new int[rows]);
            _copies = new (PageId, PageId)[rows];
        }

        public ReadOnlySpan<(PageId From, PageId To)> Copies => _copies.AsSpan(0, _copyCount);

        public int RowCount { get; private set; }

        public int[] Slot { get; }

        public int[] Start { get; }

        public int[] Count { get; }

        public int[] TokenOffset { get; }

        public int[] LogitCount { get; }

        public int[] SampledCount { get; }

        public int[] Logprob { get; }

        public int[] PromptLogprob { get; }

        public int[] NextToken { get; }

        public bool[] OnDevice { get; }

        public RowEnd[] Ends { get; }

        public int[] Inputs { get; }

        public ulong[] HiddenHash { get; }

        public void Copy(StepBatch batch)
        {
            RowCount = batch.RowCount;
            _copyCount = batch.Copies.Length;
            batch.Copies.CopyTo(_copies);
            int logits = 0;
            for (int row = 0; row < RowCount; row++)
            {
                Slot[row] = batch.Slot[row];
                Start[row] = batch.Start[row];
                Count[row] = batch.Count[row];
                TokenOffset[row] = batch.TokenOffset[row];
                LogitCount[row] = batch.LogitCount[row];
                OnDevice[row] = batch.SampleOnDevice[row];
                _hasMask[row] = batch.TokenMask[row] is not null;
                batch.TokenMask[row]?.CopyTo(_masks, row * _maskWords);
                (Logprob[row], PromptLogprob[row], NextToken[row]) = (batch.Logprobs[row], batch.PromptLogprobs[row], batch.NextToken[row]);
                _logitOffset[row] = logits;
                logits += LogitCount[row];
                int pages = (Start[row] + Count[row] + _info.TokensPerPage - 1) / _info.TokensPerPage;
                batch.PageTable.AsSpan(Slot[row] * batch.MaxPagesPerSequence, pages).CopyTo(_table.AsSpan(row * _info.MaxPagesPerSequence));
            }

            batch.Tokens.AsSpan(0, batch.TokenCount).CopyTo(Inputs);
            if (logits * _info.VocabularySize > _logits.Length)
            {
                _logits = new float[logits * _info.VocabularySize];
            }
        }

        public int Address(int row, int position) =>
            (_table[(row * _info.MaxPagesPerSequence) + (position / _info.TokensPerPage)].Index * _info.TokensPerPage) + (position % _info.TokensPerPage);

        public ReadOnlySpan<uint> MaskOf(int row) => _hasMask[row] ? _masks.AsSpan(row * _maskWords, _maskWords) : [];

        public Span<float> LogitsOf(int row, int index) =>
            _logits.AsSpan((_logitOffset[row] + index) * _info.VocabularySize, _info.VocabularySize);

        public Span<int> SampledOf(int row) => _sampled.AsSpan(TokenOffset[row], Count[row]);

        public override ReadOnlySpan<int> Tokens(int row) => SampledOf(row)[..SampledCount[row]];

        public override RowEnd End(int row) => Ends[row];

        public override TokenLogits Logprobs(int row) =>
            Logprob[row] < 0 ? base.Logprobs(row) : Tell(TokenOffset[row] + Count[row] - 1, SampledOf(row)[0], Logprob[row]);

        public override TokenLogits PromptLogprobs(int row, int index)
        {
            if (PromptLogprob[row] < 0 || (NextToken[row] < 0 && index == Count[row] - 1))
            {
                return base.PromptLogprobs(row, index);
            }

            int position = TokenOffset[row] + index;
            return Tell(position, index + 1 < Count[row] ? Inputs[position + 1] : NextToken[row], PromptLogprob[row]);
        }

        public override Span<float> Logits(int row, int index) => LogitsOf(row, index);

        // The model's logits behind a token of the step, which is a pure function of what it has read.
        private TokenLogits Tell(int position, int token, int rivals)
        {
            PureModel.Logits(HiddenHash[position], _told);
            for (int id = 0; id < _told.Length; id++)
            {
                int better = 0;
                for (int other = 0; other < _told.Length; other++)
                {
                    better += _told[other] > _told[id] || (_told[other] == _told[id] && other < id) ? 1 : 0;
                }

                (_rivals[better], _rivalLogits[better]) = (id, _told[id]);
            }

            (double sum, int rank) = (0, 1);
            foreach (float logit in _told)
            {
                sum += Math.Exp(logit);
                rank += logit > _told[token] ? 1 : 0;
            }

            return new TokenLogits
            {
                Token = token, Rank = rank, Logit = _told[token], LogSum = Math.Log(sum),
                Rivals = _rivals.AsSpan(0, rivals), RivalLogits = _rivalLogits.AsSpan(0, rivals),
            };
        }

        public override ReadOnlySpan<float> Hidden(int row, int index)
        {
            for (int i = 0; i < _hidden.Length; i++)
            {
                _hidden[i] = PureModel.Hidden(HiddenHash[TokenOffset[row] + index], i);
            }

            return _hidden;
        }
    }
}
