using System.Runtime.InteropServices;
using Ernie.Cpu.Linear;

namespace Ernie.Cpu.MachineCode;

/// <summary>
/// Writes one integer kernel as x64 machine code (System V calling convention, one argument: a pointer to <see cref="TileArguments"/>).
/// </summary>
/// <remarks>
/// Vector registers: 0–11 integer sums [accumulator set, panel, token], 12–23 f32 sums [panel, token], 24–27 weights, 28 activations, 30 scales, 31 nibble mask.
/// </remarks>
internal sealed class DotKernelEmitter
{
    private const int FirstFloatSum = 12;
    private const int FirstWeight = 24;
    private const int Activation = 28;
    private const int Scale = 30;
    private const int NibbleMask = 31;
    private const int QuadsPerStep = 4;
    private const int VectorBytes = 64;

    // Far enough ahead to cover a memory access (about 100 ns) at one core's share of the bandwidth. A single panel has no prefetches: the processor's own
    // prefetchers keep up with one long run, and instructions that ask again cost it a tenth of its speed.
    private const int PrefetchDistanceBytes = 2048;

    private const Register Arguments = Register.Rdi;
    private const Register Weights = Register.Rsi;
    private const Register Scales = Register.Rdx;
    private const Register Activations = Register.Rcx;
    private const Register WeightStride = Register.R8;
    private const Register ScaleStride = Register.R9;
    private const Register Blocks = Register.R10;
    private const Register StepCounter = Register.R11;
    private const Register BlockCounter = Register.Rax;
    private const Register Output = Register.Rbx;
    private const Register GroupCounter = Register.Rbp;

    private readonly Assembler _assembler;
    private readonly TileShape _shape;
    private readonly int _accumulatorSets;

    private DotKernelEmitter(Assembler assembler, TileShape shape)
    {
        _assembler = assembler;
        _shape = shape;

        // A dot instruction takes 5 cycles and two start per cycle: fewer than 10 independent sums leave the units waiting.
        int sums = shape.Tokens * shape.Panels;
        _accumulatorSets = sums <= 3 ? 4 : sums <= 6 ? 2 : 1;
    }

    /// <summary>Appends the kernel of <paramref name="shape"/>.</summary>
    internal static void Emit(Assembler assembler, TileShape shape)
    {
        if (shape.Panels is not (1 or 2) || shape.Tokens < 1 || shape.Tokens * shape.Panels > FirstFloatSum || shape.Bits is not (4 or 8))
            throw new ArgumentOutOfRangeException(nameof(shape), shape, "No registers for this shape.");
        new DotKernelEmitter(assembler, shape).EmitKernel();
    }

    private void EmitKernel()
    {
        _assembler.Push(Register.Rbx);
        _assembler.Push(Register.Rbp);
        LoadArgument(Weights, nameof(TileArguments.Weights));
        LoadArgument(Scales, nameof(TileArguments.Scales));
        LoadArgument(WeightStride, nameof(TileArguments.WeightStride));
        LoadArgument(ScaleStride, nameof(TileArguments.ScaleStride));
        LoadArgument(Output, nameof(TileArguments.Output));
        LoadArgument(GroupCounter, nameof(TileArguments.PanelGroups));
        if (_shape.Bits == 4)
        {
            _assembler.Set32(Register.Rax, 0x0F0F0F0F);
            _assembler.Broadcast(NibbleMask, Register.Rax);
        }

        int groupLoop = _assembler.Position;
        LoadArgument(Activations, nameof(TileArguments.Activations));
        LoadArgument(Blocks, nameof(TileArguments.Blocks));
        LoadArgument(BlockCounter, nameof(TileArguments.BlockCount));
        for (int panel = 0; panel < _shape.Panels; panel++)
            for (int token = 0; token < _shape.Tokens; token++)
                Clear(FloatSum(panel, token));
        EmitBlockLoop();
        EmitOutput();
        _assembler.Subtract(GroupCounter, 1);
        _assembler.JumpIfNotZero(groupLoop);

        _assembler.ZeroUpper();
        _assembler.Pop(Register.Rbp);
        _assembler.Pop(Register.Rbx);
        _assembler.Return();
    }

    private void EmitBlockLoop()
    {
        int blockLoop = _assembler.Position;
        for (int panel = 0; panel < _shape.Panels; panel++)
        {
            for (int token = 0; token < _shape.Tokens; token++)
            {
                _assembler.Broadcast(Sum(0, panel, token), new Address(Blocks, sizeof(int) * token));
                for (int set = 1; set < _accumulatorSets; set++)
                    Clear(Sum(set, panel, token));
            }
        }

        LoadArgument(StepCounter, nameof(TileArguments.StepsPerBlock));
        _assembler.Align(16);
        int stepLoop = _assembler.Position;
        EmitStep();
        _assembler.Subtract(StepCounter, 1);
        _assembler.JumpIfNotZero(stepLoop);

        EmitScaling();
        _assembler.Add(Blocks, _shape.Tokens * (sizeof(int) + sizeof(float)));
        _assembler.Subtract(BlockCounter, 1);
        _assembler.JumpIfNotZero(blockLoop);
    }

    // 16 k: four quads, each one vector of bytes or half a vector of nibbles per panel.
    private void EmitStep()
    {
        int vectors = QuadsPerStep * _shape.Bits / 8;
        for (int vector = 0; vector < vectors; vector++)
        {
            for (int panel = 0; panel < _shape.Panels; panel++)
            {
                Register? index = panel == 0 ? null : WeightStride;
                if (_shape.Panels > 1)
                    _assembler.Prefetch(new Address(Weights, (vector * VectorBytes) + PrefetchDistanceBytes, index));
                _assembler.LoadVector(Low(panel), new Address(Weights, vector * VectorBytes, index));
                if (_shape.Bits == 4)
                {
                    _assembler.ShiftRight16(High(panel), Low(panel), 4);
                    _assembler.And(Low(panel), Low(panel), NibbleMask);
                    _assembler.And(High(panel), High(panel), NibbleMask);
                }
            }

            if (_shape.Bits == 8)
            {
                EmitQuad(vector, high: false);
            }
            else
            {
                EmitQuad(2 * vector, high: false);
                EmitQuad((2 * vector) + 1, high: true);
            }
        }

        _assembler.Add(Weights, vectors * VectorBytes);
        _assembler.Add(Activations, QuadsPerStep * _shape.Tokens * sizeof(int));
    }

    private void EmitQuad(int quad, bool high)
    {
        int set = quad % _accumulatorSets;
        for (int token = 0; token < _shape.Tokens; token++)
        {
            var activations = new Address(Activations, ((quad * _shape.Tokens) + token) * sizeof(int));
            if (_shape.Panels == 1)
            {
                _assembler.DotAccumulate(Sum(set, 0, token), high ? High(0) : Low(0), activations);
                continue;
            }

            // Alternate two registers so that a load need not wait for the dots before it.
            int activation = Activation + (token & 1);
            _assembler.Broadcast(activation, activations);
            for (int panel = 0; panel < _shape.Panels; panel++)
                _assembler.DotAccumulate(Sum(set, panel, token), high ? High(panel) : Low(panel), activation);
        }
    }

    private void EmitScaling()
    {
        for (int panel = 0; panel < _shape.Panels; panel++)
        {
            if (_shape.ScalePerBlock)
                _assembler.HalfToFloat(Low(panel), new Address(Scales, 0, panel == 0 ? null : ScaleStride));
            for (int token = 0; token < _shape.Tokens; token++)
            {
                int sum = Sum(0, panel, token);
                for (int set = 1; set < _accumulatorSets; set++)
                    _assembler.AddInteger(sum, sum, Sum(set, panel, token));
                _assembler.IntegerToFloat(sum, sum);
                var scale = new Address(Blocks, (_shape.Tokens * sizeof(int)) + (token * sizeof(float)));
                if (_shape.ScalePerBlock)
                {
                    _assembler.Multiply(Scale, Low(panel), scale);
                    _assembler.FusedMultiplyAdd(FloatSum(panel, token), sum, Scale);
                }
                else
                {
                    _assembler.FusedMultiplyAdd(FloatSum(panel, token), sum, scale);
                }
            }
        }

        if (_shape.ScalePerBlock)
            _assembler.Add(Scales, 16 * sizeof(ushort));
    }

    private void EmitOutput()
    {
        if (!_shape.ScalePerBlock)
        {
            for (int panel = 0; panel < _shape.Panels; panel++)
                _assembler.LoadVector(Low(panel), new Address(Scales, 0, panel == 0 ? null : ScaleStride));
        }

        _assembler.Move(StepCounter, Output);
        LoadArgument(BlockCounter, nameof(TileArguments.OutputStride));
        for (int token = 0; token < _shape.Tokens; token++)
        {
            for (int panel = 0; panel < _shape.Panels; panel++)
            {
                int sum = FloatSum(panel, token);
                var target = new Address(StepCounter, panel * VectorBytes);
                if (!_shape.ScalePerBlock)
                    _assembler.Multiply(sum, sum, Low(panel));
                _assembler.StoreVector(target, sum);
            }

            _assembler.Add(StepCounter, BlockCounter);
        }

        // The block loop moved weights (and per-block scales) on by one panel; the other panels of the group follow here.
        _assembler.Add(Output, _shape.Panels * VectorBytes);
        for (int panel = 1; panel < _shape.Panels; panel++)
            _assembler.Add(Weights, WeightStride);
        for (int panel = _shape.ScalePerBlock ? 1 : 0; panel < _shape.Panels; panel++)
            _assembler.Add(Scales, ScaleStride);
    }

    private int Sum(int set, int panel, int token) => (((set * _shape.Panels) + panel) * _shape.Tokens) + token;

    private int FloatSum(int panel, int token) => FirstFloatSum + (panel * _shape.Tokens) + token;

    private static int Low(int panel) => FirstWeight + (2 * panel);

    private static int High(int panel) => FirstWeight + (2 * panel) + 1;

    private void Clear(int register) => _assembler.Xor(register, register, register);

    private void LoadArgument(Register register, string field) =>
        _assembler.Load(register, new Address(Arguments, (int)Marshal.OffsetOf<TileArguments>(field)));
}
