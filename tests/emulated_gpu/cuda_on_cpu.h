// The part of CUDA that softmax.cu speaks, for a C++17 compiler with -include; cuda_on_cpu.cpp is the machine below it.
#pragma once
#define CUDA_ON_CPU

#include <stddef.h>

#include <type_traits>
#include <utility>

// What softmax.cu has of <math.h>, which itself would be a third of what there is to compile.
#define exp __builtin_exp
#define exp2 __builtin_exp2
#define fma __builtin_fma
#define fmaf __builtin_fmaf
#define fmax __builtin_fmax
#define isnan __builtin_isnan
#define log1p __builtin_log1p

#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)

// Like a __shared__ array, one for each block and each place in the source, however often a thread comes there.
#define SHARED(type, name, count)         \
    static device::Shared name##_storage; \
    auto& name = *static_cast<type(*)[count]>(device::shared(name##_storage, sizeof(type[count]), alignof(type)))

// What Python calls: the kernel with its arguments unpacked, and their types.
#define LAUNCHABLE(kernel)                                                                \
    extern "C" void run_##kernel(void** arguments) { device::call(::kernel, arguments); } \
    extern "C" const char* signature_##kernel() { return device::signature(::kernel); }

#define threadIdx device::thread_index()
#define blockIdx device::block_index()
#define blockDim device::block_shape()
#define gridDim device::grid_shape()

namespace device {

struct Index {
    unsigned x, y, z;
};

// A type of its own, so that a shuffle's fourth argument, the width, is not taken for it.
struct Line {
    int number;
};

struct Shared {
    unsigned long launch;
    size_t offset;
};

// "const" tells the compiler that a thread never sees another answer.
[[gnu::const]] Index thread_index();
[[gnu::const]] Index block_index();
[[gnu::const]] Index block_shape();
[[gnu::const]] Index grid_shape();

void block_barrier(Line);
unsigned long long shuffle_xor(unsigned mask, unsigned long long bits, int offset, Line);
void* shared(Shared&, size_t bytes, size_t alignment);

double as_double(float x);
float as_float(double x);
float add(float a, float b);
float fused_multiply_add(float a, float b, float c);
float larger(float a, float b);

template <class To, class From>
To bit_cast(From from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    __builtin_memcpy(&to, &from, sizeof to);
    return to;
}

template <class... T, size_t... i>
__attribute__((no_sanitize("thread"))) void call(void (*kernel)(T...), void** arguments, std::index_sequence<i...>) {
    kernel(*static_cast<T*>(arguments[i])...);
}

template <class... T>
void call(void (*kernel)(T...), void** arguments) {
    call(kernel, arguments, std::index_sequence_for<T...>());
}

// The types of a kernel's arguments, in NumPy's letters: two for each, P for a pointer.
template <class T>
constexpr char kind = std::is_pointer_v<T> ? 'P' : std::is_floating_point_v<T> ? 'f' : std::is_signed_v<T> ? 'i' : 'u';

template <class... T>
const char* signature(void (*)(T...)) {
    static constexpr char types[][2] = {{kind<T>, '0' + sizeof(T)}..., {}};
    return types[0];
}

}  // namespace device

inline void __syncthreads(device::Line line = {__builtin_LINE()}) { device::block_barrier(line); }

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int offset, device::Line line = {__builtin_LINE()}) {
    using Bits = std::conditional_t<sizeof(T) == 8, unsigned long long, unsigned>;
    return device::bit_cast<T>(Bits(device::shuffle_xor(mask, device::bit_cast<Bits>(value), offset, line)));
}

struct alignas(8) uint2 {
    unsigned x, y;
};
struct alignas(16) uint4 {
    unsigned x, y, z, w;
};

template <class T>
void __stcs(T* at, T value) {
    *at = value;
}

inline int __float_as_int(float value) { return device::bit_cast<int>(value); }
inline float __int_as_float(int bits) { return device::bit_cast<float>(bits); }
inline long long __double_as_longlong(double value) { return device::bit_cast<long long>(value); }
inline double __longlong_as_double(long long bits) { return device::bit_cast<double>(bits); }

inline double __dmul_rn(double a, double b) { return a * b; }  // device.py tells the compiler to fuse nothing

// What -ftz=true leaves alone: instructions that softmax.cu writes out.
inline double as_double(float x) { return device::as_double(x); }
inline float as_float(double x) { return device::as_float(x); }
inline float add(float a, float b) { return device::add(a, b); }
inline float fused_multiply_add(float a, float b, float c) { return device::fused_multiply_add(a, b, c); }
inline float larger(float a, float b) { return device::larger(a, b); }
inline float subtract(float a, float b) { return device::add(a, -b); }

inline float half_to_float(unsigned short half) {
    unsigned sign = (half & 0x8000u) << 16, magnitude = (half & 0x7fffu) << 13;
    if (magnitude >= 0x0f800000u) return device::bit_cast<float>(sign | 0x70000000u | magnitude);  // inf and NaN
    if (magnitude < 0x00800000u) return (sign ? -0x1p-24f : 0x1p-24f) * (half & 0x3ffu);  // subnormal, but not as a float
    return device::bit_cast<float>(sign | (magnitude + (112u << 23)));
}

inline unsigned short float_to_half(float value) {
    unsigned sign = device::bit_cast<unsigned>(value) >> 16 & 0x8000u;
    float magnitude = __builtin_fabsf(value);
    if (isnan(value)) return 0x7fff;
    if (magnitude >= 65520.0f) return sign | 0x7c00u;
    if (magnitude < 0x1p-14f) return sign | unsigned(__builtin_rintf(magnitude * 0x1p24f));  // subnormal: multiples of 2^-24
    unsigned bits = device::bit_cast<unsigned>(magnitude);
    return sign | (((bits + 0xfffu + (bits >> 13 & 1u)) >> 13) - (112u << 10));  // ties to even; the other bias
}

inline unsigned short float_to_bfloat(float value) {
    unsigned bits = device::bit_cast<unsigned>(value);
    return isnan(value) ? 0x7fff : (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;  // to nearest, ties to even
}

// As wrong as the GPU's own may be, 2^-22 of the result. A CPU has its own answers for what is subnormal; a GPU has 0.
inline float exp2_to_22_bits(float x) { return x < -126.0f ? 0.0f : float(exp2(x)) * (1 + 0x1p-22f); }
