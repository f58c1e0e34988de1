// Softmax and its relatives, each slice read from memory once: what softmax_lib.with_cupy launches.
//
// A group of THREADS threads takes a slice. Each thread holds VALUES of its entries in registers, so that the maximum,
// the sum and the division need no second look at memory. A slice too long for that is TILED: its block goes over it
// twice, tile by tile, and finds it in the GPU's cache the second time. One that would be too much for a single block is
// cut into parts, whose normalizers are merged.
//
// The file is compiled for one format and one geometry at a time, chosen by macros: ELEMENT is float16, bfloat16,
// float32 or float64, and the others are what geometry.py has. ARRAYS is how many arrays are read: with 1, all but the
// vector product is compiled; with 2, only that. Nothing is included: the compiler alone is enough.

struct float16 { unsigned short bits; };
struct bfloat16 { unsigned short bits; };
typedef float float32;
typedef double float64;

#ifndef CUDA_ON_CPU  // tests/emulated_gpu/cuda_on_cpu.h has its own of what only a GPU can do
#define SHARED(type, name, count) __shared__ type name[count]

__device__ float half_to_float(unsigned short bits)
{
    float x;
    asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits));
    return x;
}

__device__ unsigned short float_to_half(float x)
{
    unsigned short bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
    return bits;
}

__device__ unsigned short float_to_bfloat(float x)
{
    unsigned short bits;
#if __CUDA_ARCH__ >= 800
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
#else
    const unsigned wide = __float_as_int(x);
    bits = x == x ? (wide + 0x7FFF + (wide >> 16 & 1)) >> 16 : 0x7FFF;  // to nearest, ties to even
#endif
    return bits;
}

// The GPU's own 2^x is right to 22 bits, which is more than 16-bit formats can hold.
__device__ float exp2_to_22_bits(float x)
{
    float power;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(x));
    return power;
}

// CuPy compiles with -ftz=true, and no option undoes that: a float below 2^-126 would be 0 to any other instruction.
__device__ double as_double(float x)
{
    double wide;
    asm("cvt.f64.f32 %0, %1;" : "=d"(wide) : "f"(x));
    return wide;
}

__device__ float as_float(double x)
{
    float rounded;
    asm("cvt.rn.f32.f64 %0, %1;" : "=f"(rounded) : "d"(x));
    return rounded;
}

__device__ float add(float a, float b)
{
    float sum;
    asm("add.rn.f32 %0, %1, %2;" : "=f"(sum) : "f"(a), "f"(b));
    return sum;
}

__device__ float subtract(float a, float b)
{
    float difference;
    asm("sub.rn.f32 %0, %1, %2;" : "=f"(difference) : "f"(a), "f"(b));
    return difference;
}

__device__ float fused_multiply_add(float a, float b, float c)
{
    float sum;
    asm("fma.rn.f32 %0, %1, %2, %3;" : "=f"(sum) : "f"(a), "f"(b), "f"(c));
    return sum;
}

__device__ float larger(float a, float b)  // the one that is no NaN, if one is
{
    float maximum;
    asm("max.f32 %0, %1, %2;" : "=f"(maximum) : "f"(a), "f"(b));
    return maximum;
}

#endif

// --- formats ---------------------------------------------------------------------------------------------------------

__device__ float widen(float16 x) { return half_to_float(x.bits); }
__device__ float widen(bfloat16 x) { return __int_as_float(int(x.bits) << 16); }
__device__ float widen(float32 x) { return x; }
__device__ double widen(float64 x) { return x; }

__device__ void narrow(float x, float16& to) { to.bits = float_to_half(x); }
__device__ void narrow(float x, bfloat16& to) { to.bits = float_to_bfloat(x); }
__device__ void narrow(float x, float32& to) { to = x; }
__device__ void narrow(double x, float64& to) { to = x; }

typedef decltype(widen(ELEMENT())) Real;
constexpr bool NARROW = sizeof(ELEMENT) == 2;

// What is moved at once, and the type that has the compiler do so: the elements of a struct it would store one by one.
template <int bytes> struct Word;
template <> struct Word<16> { typedef uint4 type; };
template <> struct Word<8> { typedef uint2 type; };
template <> struct Word<4> { typedef unsigned type; };
template <> struct Word<2> { typedef unsigned short type; };
union Vector {
    ELEMENT at[VECTOR];
    Word<sizeof(ELEMENT) * VECTOR>::type word;
};

__device__ float multiply_add(float a, float b, float c) { return fmaf(a, b, c); }
__device__ double multiply_add(double a, double b, double c) { return fma(a, b, c); }
__device__ double larger(double a, double b) { return fmax(a, b); }
__device__ double add(double a, double b) { return a + b; }
__device__ double as_double(double x) { return x; }
__device__ void round_to(float& to, double x) { to = as_float(x); }
__device__ void round_to(double& to, double x) { to = x; }
__device__ float infinity() { return __int_as_float(0x7F800000); }

// A sum, and what rounding took from it (Knuth).
struct Twice { double high, low; };

__device__ Twice two_sum(double a, double b)
{
    const double sum = a + b, b_in_sum = sum - a;
    return {sum, (a - (sum - b_in_sum)) + (b - b_in_sum)};
}

__device__ Twice add(Twice a, Twice b)
{
    const Twice sum = two_sum(a.high, b.high);
    return {sum.high, sum.low + (a.low + b.low)};
}

// A sum over a slice has twice the precision of what is added up: of floats it is a double.
__device__ double as_sum(float x) { return as_double(x); }
__device__ Twice as_sum(double x) { return {x, 0}; }
__device__ double rounded(double sum) { return sum; }
__device__ double rounded(Twice sum) { return sum.high + sum.low; }
typedef decltype(as_sum(Real())) Sum;

__device__ void assign(float& to, float x) { to = x; }
__device__ void assign(double& to, float x) { to = as_double(x); }
__device__ void assign(double& to, double x) { to = x; }
__device__ void assign(Twice& to, double x) { to = {x, 0}; }

// --- exponentials ----------------------------------------------------------------------------------------------------

// e^x = 2^whole 2^fraction, with |fraction| <= 1/2. To add `magic` and take it away again rounds to a whole number; in
// between, its last bits hold it.
template <class Type> struct Constants;

template <> struct Constants<float> {
    static constexpr float log2_e = 0x1.715476p+0f, log2_e_low = 0x1.4ae0cp-26f, magic = 0x1.8p23f;
    static constexpr float near_zero = 256, vanishing = 150;
    static constexpr int bits = 23, bias = 127, largest = 92;
};

template <> struct Constants<double> {
    static constexpr double log2_e = 0x1.71547652b82fep+0, log2_e_low = 0x1.777d0ffda0d24p-56, magic = 0x1.8p52;
    static constexpr double near_zero = 2048, vanishing = 1000;
    static constexpr int bits = 52, bias = 1023, largest = 500;
};

__device__ int bits_of(float x) { return __float_as_int(x); }
__device__ long long bits_of(double x) { return __double_as_longlong(x); }
__device__ float of_bits(int bits) { return __int_as_float(bits); }
__device__ double of_bits(long long bits) { return __longlong_as_double(bits); }

// 2^x for |x| <= 1/2: 0.6 ULP. The GPU's own approximation may be off by 1.4.
__device__ float exp2_of_fraction(float x)
{
    float y = 0x1.3f9c1ep-13f;
    y = fmaf(y, x, 0x1.5f0b9cp-10f);
    y = fmaf(y, x, 0x1.3b30a6p-7f);
    y = fmaf(y, x, 0x1.c6af76p-5f);
    y = fmaf(y, x, 0x1.ebfbd8p-3f);
    y = fmaf(y, x, 0x1.62e43p-1f);
    return fmaf(y, x, 1.0f);
}
__device__ double exp2_of_fraction(double x) { return exp2(x); }

// Where exponentials are counted from: they are of x - shift, and in units of a power of two, so that the largest is
// near 2^largest. None is subnormal then: what they sum to has all its digits, and only the division can round to a
// subnormal number. The shift is 0 unless the maximum is far from 0, and then it is the maximum: either way x - shift is
// exact wherever its exponential is not 0 (Sterbenz).
struct Frame {
    Real shift, origin;  // the maximum is shift + origin
    decltype(bits_of(Real())) unit;

    __device__ explicit Frame(Real maximum)
    {
        const bool near = maximum >= -Constants<Real>::near_zero && maximum <= Constants<Real>::near_zero;
        shift = near ? 0 : maximum;
        origin = near ? maximum : 0;
        unit = bits_of(multiply_add(origin, Constants<Real>::log2_e, Constants<Real>::magic)) - Constants<Real>::largest;
    }
};

// Of shift + x.
__device__ Real exponential_at(Real x, const Frame& frame)
{
    using C = Constants<Real>;
    if (NARROW)  // rounding the offset changes all exponentials alike
        return exp2_to_22_bits(multiply_add(x, C::log2_e, C::largest - frame.origin * C::log2_e));
    const Real lowest = frame.origin - C::vanishing;
    x = x < lowest ? lowest : x;  // fmax would lose a NaN
    const Real rounded = multiply_add(x, C::log2_e, C::magic);
    const Real fraction = multiply_add(x, C::log2_e_low, multiply_add(x, C::log2_e, C::magic - rounded));
    const auto whole = bits_of(rounded) - frame.unit;
    return exp2_of_fraction(fraction) * of_bits((whole + C::bias) << C::bits);
}

__device__ Real exponential(Real x, const Frame& frame) { return exponential_at(x - frame.shift, frame); }

// --- a thread's share of a slice -------------------------------------------------------------------------------------

struct Shape {
    long long slices, length, inner;
    int parts;

    // How far apart the entries of a slice lie.
    __device__ long long stride() const { return ACROSS ? inner : 1; }
};

// Each thread has the entries j * THREADS + thread * VECTOR + k of a tile or part, for the multiples j of VECTOR below
// VALUES and k below VECTOR: which are whose depends on the slice's length alone. So a slice has the same sum, to the
// last bit, wherever it lies.
struct Share {
    static constexpr int at_once = THREADS * VALUES;
    long long slice, first, start, left;  // the first entry, by its number and by its place in memory; those from there on
    int part, thread, end;                // entries below `end` exist, counted from the first

    __device__ explicit Share(const Shape& shape)
    {
        thread = ACROSS ? threadIdx.y : threadIdx.x;
        part = IN_PARTS ? blockIdx.x % shape.parts : 0;
        const unsigned group = IN_PARTS ? blockIdx.x / shape.parts : blockIdx.x;
        slice = (long long)group * SLICES + (ACROSS ? threadIdx.x : threadIdx.y);
        first = (long long)part * at_once;
        start = ACROSS ? slice / shape.inner * shape.length * shape.inner + slice % shape.inner : slice * shape.length;
        start += first * shape.stride();
        left = slice < shape.slices ? shape.length - first : 0;
        end = left < at_once ? left : at_once;
    }

    // Go on to the next tile; false after the last, for all threads of the block.
    __device__ bool next(const Shape& shape)
    {
        first += at_once;
        start += at_once * shape.stride();
        left -= at_once;
        end = left < at_once ? left : at_once;
        return first < shape.length;
    }

    // Call `body` with each vector's place in the registers and in the part. VECTOR divides the length of a slice:
    // either all of a vector exists or nothing.
    template <class Body>
    __device__ void each_vector(Body body) const
    {
#pragma unroll
        for (int j = 0; j < VALUES; j += VECTOR)
            body(j, j * THREADS + thread * VECTOR);
    }

    // Call it with each vector's place in the registers and its address, if it exists.
    template <class Element, class Body>
    __device__ void each_in_memory(Element* array, const Shape& shape, Body body) const
    {
        Element* at = array + start + thread * VECTOR * shape.stride();
        const long long step = THREADS * VECTOR * shape.stride();
        each_vector([&](int j, int place) {
            if (place < end)
                body(j, at);
            at += step;
        });
    }
};

typedef Real Values[ARRAYS][VALUES];
struct Inputs { const ELEMENT* at[ARRAYS]; };  // each begins where a Vector may

// A thread asks for all that it reads before it looks at any of it: while it waits, much is on the way.
__device__ void load(const Inputs& inputs, const Shape& shape, const Share& share, Values& values)
{
    const Real absent = ARRAYS == 1 ? -infinity() : 0;
    Vector vectors[ARRAYS][VALUES / VECTOR];
#pragma unroll
    for (int array = 0; array < ARRAYS; ++array)
        share.each_in_memory(inputs.at[array], shape, [&](int j, const ELEMENT* at) {
            vectors[array][j / VECTOR].word = reinterpret_cast<const Vector*>(at)->word;
        });
#pragma unroll
    for (int array = 0; array < ARRAYS; ++array)
        share.each_vector([&](int j, int place) {
#pragma unroll
            for (int k = 0; k < VECTOR; ++k)
                values[array][j + k] = place < share.end ? widen(vectors[array][j / VECTOR].at[k]) : absent;
        });
}

__device__ void store(const Real (&values)[VALUES], ELEMENT* out, const Shape& shape, const Share& share)
{
    share.each_in_memory(out, shape, [&](int j, ELEMENT* at) {
        Vector vector;
#pragma unroll
        for (int k = 0; k < VECTOR; ++k)
            narrow(values[j + k], vector.at[k]);
        __stcs(&reinterpret_cast<Vector*>(at)->word, vector.word);
    });
}

// --- from thread to thread -------------------------------------------------------------------------------------------

template <class Value>
__device__ Value from_lane(Value value, int offset)
{
    union { Value value; unsigned words[sizeof(Value) / 4]; } both = {value};
#pragma unroll
    for (int i = 0; i < int(sizeof(Value) / 4); ++i)
        both.words[i] = __shfl_xor_sync(0xFFFFFFFF, both.words[i], offset);
    return both.value;
}

// Of `count` lanes, each `apart` from the next.
template <class Value, class Combine>
__device__ Value over_warp(Value value, int apart, int count, Combine combine)
{
#pragma unroll
    for (int offset = apart; offset < apart * count; offset *= 2)
        value = combine(value, from_lane(value, offset));
    return value;
}

// The values of all threads that share the slice, combined, for each of them: over the lanes of a warp, over the warps
// of a block. `combine` has to be commutative to the last bit, for all to get the same.
template <class Value, class Combine>
__device__ Value over_slice(Value value, const Share& share, Combine combine)
{
    constexpr int apart = ACROSS ? SLICES : 1;
    constexpr int in_warp = apart >= 32 ? 1 : THREADS * apart < 32 ? THREADS : 32 / apart;
    constexpr int partials = THREADS / in_warp;
    value = over_warp(value, apart, in_warp, combine);
    if (partials > 1) {
        SHARED(Value, partial, partials * SLICES);
        const int slice = ACROSS ? threadIdx.x : threadIdx.y;
        partial[share.thread / in_warp * SLICES + slice] = value;
        __syncthreads();
        value = partial[slice];
        for (int i = 1; i < partials; ++i)
            value = combine(value, partial[i * SLICES + slice]);
    }
    return value;
}

// --- kernels: one launch where a slice fits on chip; else two, with a merge between them ------------------------------

// So many resident blocks that each thread may have 64 registers for each array that it holds.
#define RESIDENT (THREADS * SLICES * ARRAYS < 1024 ? 1024 / (THREADS * SLICES * ARRAYS) : 1)
#define KERNEL extern "C" __global__ __launch_bounds__(THREADS * SLICES, RESIDENT) void
#define SHAPE long long slices, long long length, long long inner, long long parts

// What the parts of a slice found becomes the slice's: a block a slice.
template <class Value>
__device__ void merge_parts(const Value* of_parts, Value* merged, long long parts, Value nothing)
{
    const auto both = [](const Value& a, const Value& b) { return merge(a, b); };
    const long long slice = blockIdx.x;
    Value value = nothing;
    for (long long part = threadIdx.x; part < parts; part += MERGING)
        value = merge(value, of_parts[slice * parts + part]);
    value = over_warp(value, 1, 32, both);
    SHARED(Value, of_warp, MERGING / 32);
    if (threadIdx.x % 32 == 0)
        of_warp[threadIdx.x / 32] = value;
    __syncthreads();
    value = over_warp(of_warp[threadIdx.x % (MERGING / 32)], 1, MERGING / 32, both);
    if (threadIdx.x == 0)
        merged[slice] = value;
}

#if ARRAYS == 1

// --- the normalizer --------------------------------------------------------------------------------------------------

// The maximum, and the sum of the exponentials of all entries but it, relative to its own: the s - 1 of the pair (m, s).
struct Pair { double maximum, rest; };

// A sum of exponentials relative to a maximum, as it is relative to a larger one, in units of 1 / unit. It keeps its
// digits, which may be all that is not the 1 of the other: the difference's rounding error is put back, and no factor is
// subnormal.
__device__ double moved(double sum, double from, double to, double unit)
{
    const Twice difference = two_sum(from, -to);
    const double root = exp(difference.high / 2);
    const double correction = difference.low == difference.low ? 1 + difference.low : 1;  // NaN if infinite
    return sum * root * unit * correction * root;
}

__device__ Pair merge(Pair a, Pair b)
{
    if (a.maximum == b.maximum)
        return {a.maximum, a.rest + b.rest + 1};
    const bool first = a.maximum > b.maximum;
    const Pair& above = first ? a : b;
    const Pair& below = first ? b : a;
    return {above.maximum, above.rest + moved(1 + below.rest, below.maximum, above.maximum, 1)};
}

// Pairs of pairs: no sum has more than three roundings before it goes into a more precise one.
__device__ Sum sum_of(const Real (&terms)[VALUES])
{
    constexpr int together = VALUES < 8 ? VALUES : 8;
    Sum sum = as_sum(Real(0));
#pragma unroll
    for (int i = 0; i < VALUES; i += together) {
        Real group[together];
#pragma unroll
        for (int k = 0; k < together; ++k)
            group[k] = terms[i + k];
#pragma unroll
        for (int width = together / 2; width > 0; width /= 2)
#pragma unroll
            for (int k = 0; k < width; ++k)
                group[k] += group[k + width];
        sum = add(sum, as_sum(group[0]));
    }
    return sum;
}

__device__ Real maximum_of(const Real (&values)[VALUES])
{
    Real maximum = values[0];
#pragma unroll
    for (int i = 1; i < VALUES; ++i)
        maximum = larger(maximum, values[i]);
    return add(maximum, Real(0));  // no -0: which of two zeros is larger would depend on the thread
}

__device__ Real over_slice(Real maximum, const Share& share)
{
    return over_slice(maximum, share, [](Real a, Real b) { return larger(a, b); });
}

// Of some entries, the sum of the exponentials that are less than the largest, and how many are as large.
struct Rest {
    Sum sum;
    long long ties;
};

__device__ Rest over_slice(Rest mine, const Share& share)
{
    return over_slice(mine, share, [](Rest a, Rest b) { return Rest{add(a.sum, b.sum), a.ties + b.ties}; });
}

enum Keep { LOGITS, EXPONENTIALS };

// The rest of these values, whose exponentials are in the frame's units. `values` are kept, or become exponentials.
__device__ Rest rest_of(Real (&values)[VALUES], Keep keep, Real maximum, const Share& share, const Frame& frame)
{
    int ties = 0;
    Real others[VALUES];
    share.each_vector([&](int j, int place) {
#pragma unroll
        for (int k = 0; k < VECTOR; ++k) {
            const bool largest = values[j + k] == maximum;
            const Real term = exponential(values[j + k], frame);
            ties += largest && place < share.end;
            others[j + k] = largest ? 0 : term;
            if (keep == EXPONENTIALS)
                values[j + k] = term;
        }
    });
    return {sum_of(others), ties};
}

__device__ void exponentiate(Real (&values)[VALUES], const Frame& frame)
{
#pragma unroll
    for (Real& value : values)
        value = exponential(value, frame);
}

// The pair of a slice, or of a part of one, that is on the chip.
__device__ Pair pair_of(Real (&values)[VALUES], Keep keep, const Share& share, Frame& frame)
{
    const Real maximum = over_slice(maximum_of(values), share);
    frame = Frame(maximum);
    const Rest rest = over_slice(rest_of(values, keep, maximum, share, frame), share);
    return {as_double(maximum), rounded(rest.sum) / exponential_at(frame.origin, frame) + double(rest.ties - 1)};
}

// The pair of a slice in tiles. Each thread goes by the largest that it has seen itself, and asks the others at the end.
__device__ Pair pair_in_tiles(const Inputs& inputs, const Shape& shape, Share share, Values& values)
{
    Real maximum = -infinity();
    Frame frame(maximum);
    double others = 0, unit = 1;  // the sum in the frame, and the largest exponential there
    long long ties = 0;
    const auto raise = [&](Real to) {
        const double sum = others / unit + double(ties);
        frame = Frame(to);
        unit = exponential_at(frame.origin, frame);
        others = moved(sum, as_double(maximum), as_double(to), unit);
        ties = 0;
        maximum = to;
    };
    do {
        load(inputs, shape, share, values);
        const Real here = maximum_of(values[0]);
        if (here > maximum)
            raise(here);
        const Rest rest = rest_of(values[0], LOGITS, maximum, share, frame);
        others += rounded(rest.sum);
        ties += rest.ties;
    } while (share.next(shape));
    const Real largest = over_slice(maximum, share);
    if (maximum != largest)
        raise(largest);
    Rest rest = {{}, ties};
    assign(rest.sum, others);
    rest = over_slice(rest, share);
    return {as_double(largest), rounded(rest.sum) / unit + double(rest.ties - 1)};
}

// Have `finish` work on the slice's values, tile by tile, when its pair and their frame are known.
template <class Finish>
__device__ void with_pair(const ELEMENT* x, const Pair* merged, Keep keep, const Shape& shape, Finish finish)
{
    const Inputs inputs = {x};
    Share share(shape);
    Values values;
    Frame frame(0);
    Pair pair;
    if (TILED) {
        pair = pair_in_tiles(inputs, shape, share, values);
    } else if (IN_PARTS) {
        pair = merged[share.left > 0 ? share.slice : 0];
    } else {
        load(inputs, shape, share, values);
        pair = pair_of(values[0], keep, share, frame);
    }
    if (TILED || IN_PARTS)
        frame = Frame(Real(pair.maximum));
    do {
        if (TILED || IN_PARTS) {
            load(inputs, shape, share, values);
            if (keep == EXPONENTIALS)
                exponentiate(values[0], frame);
        }
        finish(values[0], share, pair, frame);
    } while (TILED && share.next(shape));
}

KERNEL normalizers(const ELEMENT* x, Pair* pairs, SHAPE)
{
    const Shape shape = {slices, length, inner, int(parts)};
    const Share share(shape);
    Values values;
    Frame frame(0);
    Pair pair;
    if (TILED) {
        pair = pair_in_tiles({x}, shape, share, values);
    } else {
        load({x}, shape, share, values);
        pair = pair_of(values[0], LOGITS, share, frame);
    }
    if (share.thread == 0 && share.left > 0)
        pairs[share.slice * parts + share.part] = pair;
}

// The sum of all exponentials; NaN where an infinite maximum leaves no answer.
__device__ double total_of(const Pair& pair, const Frame& frame)
{
    return exponential_at(frame.origin, frame) * (1 + pair.rest) + (pair.maximum - pair.maximum);
}

// In float32 the reciprocal takes two floats: with one, a class that is alone would not always get 1.
__device__ float divide(float x, double total)
{
    const double reciprocal = 1 / total;
    const float high = float(reciprocal), low = float(reciprocal - high);
    return fused_multiply_add(x, high, NARROW ? 0 : x * low);
}
__device__ double divide(double x, double total) { return x / total; }

// On the chip, probabilities need no pair: the exponentials are summed as they are, the largest among them.
KERNEL softmax(const ELEMENT* x, ELEMENT* out, const Pair* merged, SHAPE)
{
    const Shape shape = {slices, length, inner, int(parts)};
    const auto divide_all = [&](Real (&values)[VALUES], const Share& share, double total) {
#pragma unroll
        for (Real& value : values)
            value = divide(value, total);
        store(values, out, shape, share);
    };
    if (TILED || IN_PARTS) {
        with_pair(x, merged, EXPONENTIALS, shape, [&](auto& values, const Share& share, Pair pair, const Frame& frame) {
            divide_all(values, share, total_of(pair, frame));
        });
    } else {
        const Share share(shape);
        Values values;
        load({x}, shape, share, values);
        exponentiate(values[0], Frame(over_slice(maximum_of(values[0]), share)));
        divide_all(values[0], share, rounded(over_slice(sum_of(values[0]), share, [](Sum a, Sum b) { return add(a, b); })));
    }
}

KERNEL log_softmax(const ELEMENT* x, ELEMENT* out, const Pair* merged, SHAPE)
{
    const Shape shape = {slices, length, inner, int(parts)};
    with_pair(x, merged, LOGITS, shape, [&](auto& values, const Share& share, Pair pair, const Frame&) {
        const Real maximum = Real(pair.maximum);
        Real minus_log;  // negated before it is a float, which may be subnormal: to negate a float flushes it
        round_to(minus_log, -(log1p(pair.rest) + (pair.maximum - pair.maximum)));
#pragma unroll
        for (Real& value : values)
            value = add(value - maximum, minus_log);
        store(values, out, shape, share);
    });
}

// p - t, where t is 1 at the slice's class, but for a part that is spread evenly over all classes. Where p of the class
// is nearly 1, p - 1 would be all rounding error; p (1 - t) - t (1 - p) is not, since 1 - p is the sum of the others.
// The gradient of a slice whose class is negative is 0.
KERNEL cross_entropy_grad(
    const ELEMENT* x, ELEMENT* out, const long long* classes, double label_smoothing, const Pair* merged, SHAPE)
{
    const Shape shape = {slices, length, inner, int(parts)};
    with_pair(x, merged, EXPONENTIALS, shape, [&](auto& values, const Share& share, Pair pair, const Frame& frame) {
        const double total = total_of(pair, frame), evenly = label_smoothing / length;
        const long long target = share.slice < slices ? classes[share.slice] : -1, at = target - share.first;
        Real of_target = 0, minus_evenly;
        if (at >= 0 && at < share.end) {
            const Real largest = exponential_at(frame.origin, frame);
            const Real value = exponential(widen(x[share.start + at * shape.stride()]), frame);
            const double others = value == largest ? pair.rest * largest : total - value;
            const double t = 1 - label_smoothing + evenly;
            round_to(of_target, as_double(value) / total * (label_smoothing - evenly) - t * (others / total));
        }
        round_to(minus_evenly, -evenly);
        share.each_vector([&](int j, int place) {
#pragma unroll
            for (int k = 0; k < VECTOR; ++k) {
                const Real elsewhere = target < 0 ? 0 : add(divide(values[j + k], total), minus_evenly);
                values[j + k] = place + k == at ? of_target : elsewhere;
            }
        });
        store(values, out, shape, share);
    });
}

// --- of a slice's pair, a thread a slice -----------------------------------------------------------------------------

#define OF_PAIRS extern "C" __global__ void
#define THIS_SLICE ((long long)blockIdx.x * blockDim.x + threadIdx.x)

__device__ void put(double result, ELEMENT& to)
{
    Real rounded;
    round_to(rounded, result);
    narrow(rounded, to);
}

OF_PAIRS logsumexp(const Pair* pairs, ELEMENT* out, SHAPE)
{
    const long long slice = THIS_SLICE;
    if (slice < slices)
        put(pairs[slice].maximum + log1p(pairs[slice].rest), out[slice]);
}

// -log p of each slice's class, m - x_c + log s. That of a slice whose class is negative is 0.
OF_PAIRS cross_entropy(const Pair* pairs, const ELEMENT* x, const long long* classes, ELEMENT* out, SHAPE)
{
    const long long slice = THIS_SLICE;
    if (slice >= slices)
        return;
    const long long start = slice / inner * length * inner + slice % inner, target = classes[slice];
    const Pair pair = pairs[slice];
    const double logit = as_double(widen(x[start + (target < 0 ? 0 : target) * inner]));
    // An infinite maximum leaves no answer: less itself, it is NaN.
    const double loss = (pair.maximum - logit) + (log1p(pair.rest) + (pair.maximum - pair.maximum));
    put(target < 0 ? 0 : loss, out[slice]);
}

extern "C" __global__ void merge_normalizers(const Pair* of_parts, Pair* merged, long long parts)
{
    merge_parts(of_parts, merged, parts, Pair{-infinity(), -1});
}

#else

// --- the vector product ----------------------------------------------------------------------------------------------

__device__ Twice two_product(double a, double b)
{
    const double product = __dmul_rn(a, b);  // not to be fused with a sum that follows
    const double low = fma(a, b, -product);
    return {product, low - low == 0 ? low : 0};
}

__device__ Twice times(Twice a, Twice b)
{
    Twice product = two_product(a.high, b.high);
    product.low += a.high * b.low + a.low * b.high;
    return product;
}

// The moments of narrow entries are floats, those of floats doubles, and those of doubles have a sum of two each.
__device__ float single(float16);
__device__ float single(bfloat16);
__device__ double single(float32);
__device__ double single(float64);
__device__ float several(float16);
__device__ float several(bfloat16);
__device__ double several(float32);
__device__ Twice several(float64);
typedef decltype(single(ELEMENT())) Single;
typedef decltype(several(ELEMENT())) Several;

__device__ void subtract(float a, float b, float& difference) { difference = subtract(a, b); }
__device__ void subtract(double a, double b, double& difference) { difference = a - b; }
__device__ void subtract(double a, double b, Twice& difference) { difference = two_sum(a, -b); }

__device__ float add_product(float a, float b, float sum) { return fused_multiply_add(a, b, sum); }
__device__ double add_product(double a, double b, double sum) { return fma(a, b, sum); }
__device__ Twice add_product(Twice a, Twice b, Twice sum) { return add(sum, times(a, b)); }

__device__ void rescale(Twice& sum, double factor) { sum = {sum.high * factor, sum.low * factor}; }
__device__ void rescale(double&, double) {}
__device__ void rescale(float&, float) {}

// sum_j p_j and sum_j p_j (v_j - anchor), where the anchor is v at the largest p: what is near it does not cancel. All
// of v counts `scale` times, a power of two, so that nothing overflows; but of float64, nothing can.
struct Moments {
    Single p, anchor, scale;
    Several total, mean;
};

__device__ Moments rescaled(Moments m, Single scale)
{
    const Single factor = scale / m.scale;
    m.anchor *= factor;
    rescale(m.mean, factor);
    m.scale = scale;
    return m;
}

__device__ Moments merge(Moments a, Moments b)
{
    if (sizeof(Real) == 8) {
        const Single scale = a.scale < b.scale ? a.scale : b.scale;
        a = rescaled(a, scale);
        b = rescaled(b, scale);
    }
    if (a.p < b.p || (a.p == b.p && a.anchor < b.anchor)) {
        const Moments above = b;
        b = a;
        a = above;
    }
    Several moved;
    subtract(b.anchor, a.anchor, moved);
    return {a.p, a.anchor, a.scale, add(a.total, b.total), add(a.mean, add_product(b.total, moved, b.mean))};
}

__device__ Several centred(Real v, const Moments& moments)
{
    Single wide;
    Several difference;
    assign(wide, v);
    subtract(sizeof(Real) == 8 ? wide * moments.scale : wide, moments.anchor, difference);
    return difference;
}

__device__ Moments moments_of(const Real (&p)[VALUES], const Real (&v)[VALUES])
{
    Real largest = -1, anchor = 0;
    Moments moments = {0, 0, 1, {}, {}};
#pragma unroll
    for (int i = 0; i < VALUES; ++i) {
        if (p[i] > largest) {
            largest = p[i];
            anchor = v[i];
        }
        if (sizeof(Real) == 8 && (v[i] > 1e290 || v[i] < -1e290))
            moments.scale = 0x1p-64f;
    }
    assign(moments.p, largest);
    assign(moments.anchor, anchor);
    if (sizeof(Real) == 8)
        moments.anchor *= moments.scale;
#pragma unroll
    for (int i = 0; i < VALUES; ++i) {
        Several share_of_it;
        assign(share_of_it, p[i]);
        moments.total = add(moments.total, share_of_it);
        moments.mean = add_product(share_of_it, centred(v[i], moments), moments.mean);
    }
    return moments;
}

// Those of the slice, which its threads hold whole, or go over tile by tile.
__device__ Moments moments_of(const Inputs& inputs, const Shape& shape, Share share, Values& values)
{
    load(inputs, shape, share, values);
    Moments mine = moments_of(values[0], values[1]);
    while (TILED && share.next(shape)) {
        load(inputs, shape, share, values);
        mine = merge(mine, moments_of(values[0], values[1]));
    }
    return over_slice(mine, share, [](const Moments& a, const Moments& b) { return merge(a, b); });
}

// Rounded probabilities do not sum to one exactly, and p (v - <p, v>) takes that for granted: hence the excess.
__device__ float product(float p, float centred, float total, float mean, float)
{
    const float difference = fused_multiply_add(centred, subtract(total, 1), subtract(centred, mean));
    return fused_multiply_add(p, difference, 0);
}

__device__ float product(float p, double centred, double total, double mean, double)
{
    return as_float(as_double(p) * ((centred - mean) + centred * (total - 1)));
}

__device__ double product(double p, Twice centred, Twice total, Twice mean, double scale)
{
    const double excess = (total.high - 1) + total.low;
    const Twice difference = two_sum(centred.high, -mean.high);
    const double low = difference.low + centred.low - mean.low + centred.high * excess;
    return p / scale * (difference.high + low);  // p first, which may be tiny: it is not to underflow
}

KERNEL moments(const ELEMENT* p, const ELEMENT* v, Moments* of_parts, SHAPE)
{
    const Shape shape = {slices, length, inner, int(parts)};
    const Share share(shape);
    Values values;
    const Moments moments = moments_of({p, v}, shape, share, values);
    if (share.thread == 0 && share.left > 0)
        of_parts[share.slice * parts + share.part] = moments;
}

KERNEL softmax_vjp(const ELEMENT* p, const ELEMENT* v, ELEMENT* out, const Moments* merged, SHAPE)
{
    const Shape shape = {slices, length, inner, int(parts)};
    const Inputs inputs = {p, v};
    Share share(shape);
    Values values;
    const Moments m = IN_PARTS ? merged[share.left > 0 ? share.slice : 0] : moments_of(inputs, shape, share, values);
    do {
        if (TILED || IN_PARTS)
            load(inputs, shape, share, values);
#pragma unroll
        for (int i = 0; i < VALUES; ++i)
            values[0][i] = product(values[0][i], centred(values[1][i], m), m.total, m.mean, m.scale);
        store(values[0], out, shape, share);
    } while (TILED && share.next(shape));
}

extern "C" __global__ void merge_moments(const Moments* of_parts, Moments* merged, long long parts)
{
    merge_parts(of_parts, merged, parts, Moments{-1, 0, 1, {}, {}});
}

#endif
