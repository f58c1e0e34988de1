// Softmax and its relatives, each slice read from memory once: what softmax_lib.with_cupy launches.
//
// A group of THREADS threads takes a slice. Each thread holds VALUES of its entries in registers, so that the maximum,
// the sum and the division need no second look at memory. A slice too long for one block is shared by a CLUSTER of
// blocks that read each other's shared memory; one too long for that is cut into parts, whose normalizers are merged.
//
// The file is compiled for one format and one geometry at a time, chosen by macros: ELEMENT is float16, bfloat16,
// float32 or float64, and the others are the fields of Geometry in geometry.py. ARRAYS is how many arrays are read: with
// 1, all but the vector product is compiled; with 2, only that. Nothing is included: the compiler alone is enough.

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

#if CLUSTER > 1
__device__ int cluster_rank()
{
    int rank;
    asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    return rank;
}

__device__ void cluster_barrier()
{
    asm volatile("barrier.cluster.arrive.release.aligned;\n\tbarrier.cluster.wait.acquire.aligned;" ::: "memory");
}

// What lies at this place in the shared memory of another block of the cluster.
template <class Value>
__device__ Value read_from_block(const Value* shared, int rank)
{
    const Value* there;
    asm volatile("mapa.u64 %0, %1, %2;" : "=l"(there) : "l"(shared), "r"(rank));
    return *there;
}
#endif
#endif

// --- formats ---------------------------------------------------------------------------------------------------------

__device__ float widen(float16 x) { return half_to_float(x.bits); }
__device__ float widen(bfloat16 x) { return __int_as_float(int(x.bits) << 16); }
__device__ float widen(float32 x) { return x; }
__device__ double widen(float64 x) { return x; }

__device__ void narrow(float x, float16& to) { to.bits = float_to_half(x); }
__device__ void narrow(float x, bfloat16& to)
{
    unsigned bits = __float_as_int(x);
    bits += 0x7FFF + (bits >> 16 & 1);  // to nearest, ties to even
    to.bits = isnan(x) ? 0x7FFF : bits >> 16;
}
__device__ void narrow(float x, float32& to) { to = x; }
__device__ void narrow(double x, float64& to) { to = x; }

typedef decltype(widen(ELEMENT())) Real;

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

// Each thread has the entries j * THREADS + thread * VECTOR + k of its part, for the multiples j of VECTOR below VALUES
// and k below VECTOR: which are whose depends on the slice's length alone. So a slice has the same sum, to the last bit,
// wherever it lies.
struct Share {
    long long slice, first, start;  // the part's first entry, by its number and by its place in memory
    int part, thread, end;          // entries below `end` exist, counted from the first

    __device__ explicit Share(const Shape& shape)
    {
        constexpr int at_once = THREADS * VALUES;
        thread = ACROSS ? threadIdx.y : threadIdx.x;
        unsigned group = blockIdx.x;
#if CLUSTER > 1
        part = cluster_rank();
        group /= CLUSTER;
#else
        part = group % shape.parts;
        group /= shape.parts;
#endif
        slice = (long long)group * SLICES + (ACROSS ? threadIdx.x : threadIdx.y);
        first = (long long)part * at_once;
        start = ACROSS ? slice / shape.inner * shape.length * shape.inner + slice % shape.inner : slice * shape.length;
        start += first * shape.stride();
        const long long left = slice < shape.slices ? shape.length - first : 0;
        end = left < at_once ? left : at_once;
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
};

__device__ bool is_aligned(const ELEMENT* at) { return VECTOR > 1 && (unsigned long long)at % sizeof(Vector) == 0; }

__device__ void load(const ELEMENT* x, const Shape& shape, const Share& share, Real absent, Real (&values)[VALUES])
{
    x += share.start;
    const bool aligned = is_aligned(x);
    share.each_vector([&](int j, int place) {
        const ELEMENT* at = x + place * shape.stride();
        Vector vector;
        if (place < share.end) {
            if (aligned)
                vector.word = reinterpret_cast<const Vector*>(at)->word;
            else
#pragma unroll
                for (int k = 0; k < VECTOR; ++k)
                    vector.at[k] = at[k];
        }
#pragma unroll
        for (int k = 0; k < VECTOR; ++k)
            values[j + k] = place < share.end ? widen(vector.at[k]) : absent;
    });
}

__device__ void store(const Real (&values)[VALUES], ELEMENT* out, const Shape& shape, const Share& share)
{
    out += share.start;
    const bool aligned = is_aligned(out);
    share.each_vector([&](int j, int place) {
        ELEMENT* at = out + place * shape.stride();
        Vector vector;
#pragma unroll
        for (int k = 0; k < VECTOR; ++k)
            narrow(values[j + k], vector.at[k]);
        if (place < share.end) {
            if (aligned)
                __stcs(&reinterpret_cast<Vector*>(at)->word, vector.word);
            else
#pragma unroll
                for (int k = 0; k < VECTOR; ++k)
                    at[k] = vector.at[k];
        }
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

template <class Value, class Combine>
__device__ Value over_warp(Value value, int lanes, Combine combine)
{
#pragma unroll
    for (int offset = 1; offset < lanes; offset *= 2)
        value = combine(value, from_lane(value, offset));
    return value;
}

// The values of all threads that share the slice, combined, for each of them: over the lanes of a warp, over the warps
// of a block, over the blocks of a cluster. `combine` has to be commutative to the last bit, for all to get the same.
template <class Value, class Combine>
__device__ Value over_slice(Value value, const Share& share, Combine combine)
{
    constexpr int partials = ACROSS ? THREADS : THREADS / 32;
    if (!ACROSS)
        value = over_warp(value, THREADS < 32 ? THREADS : 32, combine);
    if (partials > 1) {
        SHARED(Value, partial, (partials > 1 ? partials : 1) * SLICES);
        const int slice = ACROSS ? threadIdx.x : threadIdx.y;
        partial[(ACROSS ? share.thread : share.thread / 32) * SLICES + slice] = value;
        __syncthreads();
        value = partial[slice];
        for (int i = 1; i < partials; ++i)
            value = combine(value, partial[i * SLICES + slice]);
    }
#if CLUSTER > 1
    SHARED(Value, of_block, SLICES);
    const int slice = ACROSS ? threadIdx.x : threadIdx.y;
    of_block[slice] = value;
    cluster_barrier();
    value = read_from_block(&of_block[slice], 0);
    for (int rank = 1; rank < CLUSTER; ++rank)
        value = combine(value, read_from_block(&of_block[slice], rank));
    cluster_barrier();  // no block may end while others read its memory
#endif
    return value;
}

// --- kernels: one launch where a slice fits on chip; else two, with a merge between them ------------------------------

#if CLUSTER > 1
#define CLUSTERED __cluster_dims__(CLUSTER, 1, 1)
#else
#define CLUSTERED
#endif
// So many resident blocks that each thread may have 64 registers for each array that it holds.
#define RESIDENT (THREADS * SLICES * ARRAYS < 1024 ? 1024 / (THREADS * SLICES * ARRAYS) : 1)
#define KERNEL extern "C" __global__ CLUSTERED __launch_bounds__(THREADS * SLICES, RESIDENT) void
#define SHAPE long long slices, long long length, long long inner, long long parts

// What the parts of a slice found becomes the slice's: a warp a slice.
template <class Value>
__device__ void merge_parts(const Value* of_parts, Value* merged, long long parts, Value nothing)
{
    const long long slice = blockIdx.x;
    Value value = nothing;
    for (long long part = threadIdx.x; part < parts; part += 32)
        value = merge(value, of_parts[slice * parts + part]);
    value = over_warp(value, 32, [](const Value& a, const Value& b) { return merge(a, b); });
    if (threadIdx.x == 0)
        merged[slice] = value;
}

#if ARRAYS == 1

// --- the normalizer --------------------------------------------------------------------------------------------------

// The maximum, and the sum of the exponentials of all entries but it, relative to its own: the s - 1 of the pair (m, s).
struct Pair { double maximum, rest; };

// Where the part of the smaller maximum adds next to nothing, what it adds is all that is not the 1 of the other. So it
// keeps its digits: the difference's rounding error is put back, and no factor is subnormal.
__device__ Pair merge(Pair a, Pair b)
{
    if (a.maximum == b.maximum)
        return {a.maximum, a.rest + b.rest + 1};
    const bool first = a.maximum > b.maximum;
    const Pair& above = first ? a : b;
    const Pair& below = first ? b : a;
    const Twice difference = two_sum(below.maximum, -above.maximum);
    const double root = exp(difference.high / 2);
    const double correction = difference.low == difference.low ? 1 + difference.low : 1;  // NaN if infinite
    return {above.maximum, above.rest + (1 + below.rest) * root * correction * root};
}

struct Total {
    double sum;
    long long ties;
};

enum Keep { LOGITS, EXPONENTIALS };

// The pair of the slice, and its frame. `values` are kept, or become their exponentials in that frame.
__device__ Pair normalizer(Real (&values)[VALUES], Keep keep, const Share& share, Frame& frame)
{
    Real maximum = values[0];
#pragma unroll
    for (int i = 1; i < VALUES; ++i)
        maximum = larger(maximum, values[i]);
    maximum = add(maximum, Real(0));  // no -0: which of two zeros is larger would depend on the thread
    maximum = over_slice(maximum, share, [](Real a, Real b) { return larger(a, b); });
    frame = Frame(maximum);
    Total total = {0, 0};
    share.each_vector([&](int j, int place) {
        Real terms[VECTOR];
#pragma unroll
        for (int k = 0; k < VECTOR; ++k) {
            const bool largest = values[j + k] == maximum;
            const Real term = exponential(values[j + k], frame);
            total.ties += largest && place < share.end;
            terms[k] = largest ? 0 : term;
            if (keep == EXPONENTIALS)
                values[j + k] = term;
        }
        // Pairs of pairs: no sum of a float has more than three roundings before it goes into a double.
#pragma unroll
        for (int width = VECTOR / 2; width > 0; width /= 2)
#pragma unroll
            for (int k = 0; k < width; ++k)
                terms[k] += terms[k + width];
        total.sum += terms[0];
    });
    total = over_slice(total, share, [](Total a, Total b) { return Total{a.sum + b.sum, a.ties + b.ties}; });
    return {as_double(maximum), total.sum / exponential_at(frame.origin, frame) + double(total.ties - 1)};
}

KERNEL normalizers(const ELEMENT* x, Pair* pairs, SHAPE)
{
    const Shape shape = {slices, length, inner, int(parts)};
    const Share share(shape);
    Real values[VALUES];
    load(x, shape, share, -infinity(), values);
    Frame frame(0);
    const Pair pair = normalizer(values, LOGITS, share, frame);
    if (share.thread == 0 && share.slice < slices && share.part < parts)
        pairs[share.slice * parts + share.part] = pair;
}

// The slice's values, as logits or as exponentials, and its pair, which has been merged already where it is in parts.
__device__ Pair begin(
    const ELEMENT* x, const Pair* merged, Keep keep, const Shape& shape, const Share& share, Frame& frame,
    Real (&values)[VALUES])
{
    load(x, shape, share, -infinity(), values);
    if (shape.parts == 1)
        return normalizer(values, keep, share, frame);
    const Pair pair = merged[share.slice < shape.slices ? share.slice : 0];
    frame = Frame(Real(pair.maximum));
    if (keep == EXPONENTIALS)
#pragma unroll
        for (Real& value : values)
            value = exponential(value, frame);
    return pair;
}

// The sum of all exponentials; NaN where an infinite maximum leaves no answer.
__device__ double total_of(const Pair& pair, const Frame& frame)
{
    return exponential_at(frame.origin, frame) * (1 + pair.rest) + (pair.maximum - pair.maximum);
}

// The reciprocal takes two floats: with one, a class that is alone would not always get 1.
__device__ float divide(float x, double total)
{
    const double reciprocal = 1 / total;
    const float high = float(reciprocal), low = float(reciprocal - high);
    return fused_multiply_add(x, high, x * low);
}
__device__ double divide(double x, double total) { return x / total; }

KERNEL softmax(const ELEMENT* x, ELEMENT* out, const Pair* merged, SHAPE)
{
    const Shape shape = {slices, length, inner, int(parts)};
    const Share share(shape);
    Frame frame(0);
    Real values[VALUES];
    const Pair pair = begin(x, merged, EXPONENTIALS, shape, share, frame, values);
    const double total = total_of(pair, frame);
#pragma unroll
    for (Real& value : values)
        value = divide(value, total);
    store(values, out, shape, share);
}

KERNEL log_softmax(const ELEMENT* x, ELEMENT* out, const Pair* merged, SHAPE)
{
    const Shape shape = {slices, length, inner, int(parts)};
    const Share share(shape);
    Frame frame(0);
    Real values[VALUES];
    const Pair pair = begin(x, merged, LOGITS, shape, share, frame, values);
    const Real maximum = Real(pair.maximum);
    Real log_of_total;
    round_to(log_of_total, log1p(pair.rest) + (pair.maximum - pair.maximum));
#pragma unroll
    for (Real& value : values)
        value = add(value - maximum, -log_of_total);
    store(values, out, shape, share);
}

// p - t, where t is 1 at the slice's class, but for a part that is spread evenly over all classes. Where p of the class
// is nearly 1, p - 1 would be all rounding error; p (1 - t) - t (1 - p) is not, since 1 - p is the sum of the others.
// The gradient of a slice whose class is negative is 0.
KERNEL cross_entropy_grad(
    const ELEMENT* x, ELEMENT* out, const long long* classes, double label_smoothing, const Pair* merged, SHAPE)
{
    const Shape shape = {slices, length, inner, int(parts)};
    const Share share(shape);
    Frame frame(0);
    Real values[VALUES];
    const Pair pair = begin(x, merged, EXPONENTIALS, shape, share, frame, values);
    const double total = total_of(pair, frame);
    const Real largest = exponential_at(frame.origin, frame);
    const long long target = classes[share.slice < slices ? share.slice : 0];
    const double evenly = label_smoothing / length;
    Real minus_evenly;
    round_to(minus_evenly, -evenly);
    share.each_vector([&](int j, int place) {
#pragma unroll
        for (int k = 0; k < VECTOR; ++k) {
            Real& value = values[j + k];
            if (share.first + place + k == target) {
                const double others = value == largest ? pair.rest * largest : total - value;
                const double t = 1 - label_smoothing + evenly;
                round_to(value, as_double(value) / total * (label_smoothing - evenly) - t * (others / total));
            } else {
                value = target < 0 ? 0 : add(divide(value, total), minus_evenly);
            }
        }
    });
    store(values, out, shape, share);
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

__device__ Twice add(Twice a, Twice b)
{
    const Twice sum = two_sum(a.high, b.high);
    return {sum.high, sum.low + (a.low + b.low)};
}

// sum_j p_j and sum_j p_j (v_j - anchor), where the anchor is v at the largest p: what is near it does not cancel. All
// of v counts `scale` times, a power of two, so that nothing overflows.
struct Moments { double p, anchor, scale; Twice total, mean; };

__device__ Moments rescaled(Moments m, double scale)
{
    const double factor = scale / m.scale;
    return {m.p, m.anchor * factor, scale, m.total, {m.mean.high * factor, m.mean.low * factor}};
}

__device__ Moments merge(Moments a, Moments b)
{
    const double scale = a.scale < b.scale ? a.scale : b.scale;
    a = rescaled(a, scale);
    b = rescaled(b, scale);
    const bool first = a.p > b.p || (a.p == b.p && a.anchor >= b.anchor);
    const Moments& above = first ? a : b;
    const Moments& below = first ? b : a;
    const Twice moved = two_sum(below.anchor, -above.anchor);
    Twice change = two_product(below.total.high, moved.high);
    change.low += below.total.high * moved.low + below.total.low * moved.high;
    return {above.p, above.anchor, scale, add(a.total, b.total), add(above.mean, add(below.mean, change))};
}

// In float32, doubles are twice the precision.
__device__ void accumulate(float p, float v, Moments& moments)
{
    moments.total.high += as_double(p);
    moments.mean.high = fma(as_double(p), as_double(v) - moments.anchor, moments.mean.high);
}

__device__ void accumulate(double p, double v, Moments& moments)
{
    const Twice centred = two_sum(v * moments.scale, -moments.anchor);
    Twice product = two_product(p, centred.high);
    product.low += p * centred.low;
    moments.total = add(moments.total, {p, 0});
    moments.mean = add(moments.mean, product);
}

__device__ float product(float p, float v, const Moments& moments)
{
    const double centred = as_double(v) - moments.anchor;
    return as_float(as_double(p) * ((centred - moments.mean.high) + centred * (moments.total.high - 1)));
}

// Rounded probabilities do not sum to one exactly, and p (v - <p, v>) takes that for granted: hence the excess.
__device__ double product(double p, double v, const Moments& moments)
{
    const double excess = (moments.total.high - 1) + moments.total.low;
    const Twice centred = two_sum(v * moments.scale, -moments.anchor);
    const Twice difference = two_sum(centred.high, -moments.mean.high);
    const double low = difference.low + centred.low - moments.mean.low + centred.high * excess;
    return p / moments.scale * (difference.high + low);  // p first, which may be tiny: it is not to underflow
}

__device__ Moments moments_of(const Real (&p)[VALUES], const Real (&v)[VALUES], const Share& share)
{
    Moments moments = {-1, 0, 1, {0, 0}, {0, 0}};
#pragma unroll
    for (int i = 0; i < VALUES; ++i) {
        if (as_double(p[i]) > moments.p) {
            moments.p = as_double(p[i]);
            moments.anchor = as_double(v[i]);
        }
        if (sizeof(Real) == 8 && (v[i] > 1e290 || v[i] < -1e290))
            moments.scale = 0x1p-64;
    }
    moments.anchor *= moments.scale;
#pragma unroll
    for (int i = 0; i < VALUES; ++i)
        accumulate(p[i], v[i], moments);
    return over_slice(moments, share, [](const Moments& a, const Moments& b) { return merge(a, b); });
}

KERNEL moments(const ELEMENT* p, const ELEMENT* v, Moments* of_parts, SHAPE)
{
    const Shape shape = {slices, length, inner, int(parts)};
    const Share share(shape);
    Real shares[VALUES], vector[VALUES];
    load(p, shape, share, 0, shares);
    load(v, shape, share, 0, vector);
    const Moments moments = moments_of(shares, vector, share);
    if (share.thread == 0 && share.slice < slices && share.part < parts)
        of_parts[share.slice * parts + share.part] = moments;
}

KERNEL softmax_vjp(const ELEMENT* p, const ELEMENT* v, ELEMENT* out, const Moments* merged, SHAPE)
{
    const Shape shape = {slices, length, inner, int(parts)};
    const Share share(shape);
    Real shares[VALUES], vector[VALUES];
    load(p, shape, share, 0, shares);
    load(v, shape, share, 0, vector);
    const Moments moments = parts == 1 ? moments_of(shares, vector, share) : merged[share.slice < slices ? share.slice : 0];
#pragma unroll
    for (int i = 0; i < VALUES; ++i)
        shares[i] = product(shares[i], vector[i], moments);
    store(shares, out, shape, share);
}

extern "C" __global__ void merge_moments(const Moments* of_parts, Moments* merged, long long parts)
{
    merge_parts(of_parts, merged, parts, Moments{-1, 0, 1, {0, 0}, {0, 0}});
}

#endif
