// A small GPU on one CPU thread. Each CUDA thread is a fibre that runs until it has to wait for others; blocks run one
// after the other. The compiler calls in here before every access to memory (-fsanitize=thread) and on undefined
// behaviour (-fsanitize=alignment,...): no sanitizer's own library is used.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

#include <algorithm>
#include <map>
#include <string>

#include "cuda_on_cpu.h"  // last, because it has names of <math.h> for its own

namespace device {
namespace {

constexpr size_t STACK_BYTES = 64 << 10;
constexpr size_t SHARED_BYTES = 48 << 10;  // the most that the __shared__ arrays of a block may take
constexpr unsigned WARP = 32, MAX_THREADS = 1024;
constexpr unsigned SEVERAL = ~0u;
constexpr ptrdiff_t NEAR = 1 << 16;  // bytes from an array, to name it in a report

using Time = unsigned long;

// Where threads wait until the last of them comes.
struct Meeting {
    unsigned members;
    Time passed;
    unsigned arrived;
    const char* place;
    int line;
};

struct Block {
    Index index;
    Meeting barrier, warps[MAX_THREADS / WARP];
};

struct Fibre {
    Index index;
    unsigned number;
    jmp_buf left;
    bool started, returned;
    Meeting* waits_at;
    Time came;
    unsigned shuffles;
    unsigned long long offered[2];  // a lane may be at its next shuffle before all have read this one
};

// Who last touched a byte of shared memory, and when.
struct Touched {
    unsigned writer, reader;
    Time written, read;
};

// An argument's memory; nothing for a number.
struct Array {
    const char *begin, *end;
};

// What a thread is about to write where another wrote: allowed if it is the same.
struct Rewrite {
    const char* begin;
    size_t bytes;
    char before[256];
};

// Subnormal numbers are 0, to the kernel's own instructions, while there is one of these. A CPU flushes doubles too,
// which a kernel of floats does not see; one that cannot flush them leaves them be.
class Flushing {
#ifdef __SSE2__
    unsigned before = _mm_getcsr();

   public:
    explicit Flushing(bool flush) { _mm_setcsr(flush ? before | 0x8040 : before & ~0x8040); }
    ~Flushing() { _mm_setcsr(before); }
#else
   public:
    explicit Flushing(bool) {}
#endif
};

void (*kernel)(void**);
void** kernel_arguments;
Index grid, threads;
const Array* arrays;
int argument_count;

Block block;  // the one that runs
Fibre fibres[MAX_THREADS];
unsigned fibre_count;
alignas(16) char stacks[MAX_THREADS][STACK_BYTES];
alignas(128) char shared_memory[SHARED_BYTES];
Touched touched[SHARED_BYTES];
size_t shared_used;

Fibre* now;
jmp_buf scheduler;
Time time_now, launch_number;
Rewrite rewrite;
char error[1000];

[[noreturn]] void fail(const char* format, ...) {
    Index t = now->index, b = block.index;
    int length = sprintf(error, "thread (%u, %u, %u) of block (%u, %u, %u) ", t.x, t.y, t.z, b.x, b.y, b.z);
    va_list values;
    va_start(values, format);
    vsnprintf(error + length, sizeof error - length, format, values);
    _longjmp(scheduler, 1);
}

void check_rewrite() {
    if (rewrite.bytes > 0 && memcmp(rewrite.begin, rewrite.before, std::exchange(rewrite.bytes, 0)) != 0)
        fail("wrote byte %td of shared memory, where another thread wrote something else since their last barrier",
             rewrite.begin - shared_memory);
}

void suspend() {
    check_rewrite();
    if (_setjmp(now->left) == 0) _longjmp(scheduler, 1);
}

void live() {
    for (;;) {
        kernel(kernel_arguments);
        now->returned = true;
        suspend();
    }
}

// _setjmp and _longjmp switch fibres without a system call; ucontext only gives each its stack, once.
[[gnu::noinline]] void resume(Fibre& fibre) {
    static ucontext_t birth;
    now = &fibre;
    if (_setjmp(scheduler) != 0) return;
    if (fibre.started) _longjmp(fibre.left, 1);
    fibre.started = true;
    getcontext(&birth);
    birth.uc_stack.ss_sp = stacks[fibre.number];
    birth.uc_stack.ss_size = STACK_BYTES;
    makecontext(&birth, live, 0);
    setcontext(&birth);
}

void meet(Meeting& meeting, const char* place, Line line) {
    if (meeting.arrived == 0) {
        meeting.place = place;
        meeting.line = line.number;
    } else if (meeting.line != line.number) {
        fail("is at %s on line %d, but others wait for it on line %d", place, line.number, meeting.line);
    }
    if (++meeting.arrived == meeting.members) {
        meeting.arrived = 0;
        meeting.passed = ++time_now;
    } else {
        now->waits_at = &meeting;
        now->came = meeting.passed;
        suspend();
    }
}

bool can_go_on(const Fibre& fibre) {
    return !fibre.returned && (fibre.waits_at == nullptr || fibre.waits_at->passed != fibre.came);
}

void tell_who_waits() {
    std::map<std::string, int> counts;
    for (unsigned i = 0; i < fibre_count; ++i) {
        const Fibre& fibre = fibres[i];
        ++counts[fibre.returned ? "have returned" : std::string("wait at ") + fibre.waits_at->place];
    }
    std::string text = "no thread can go on: of " + std::to_string(fibre_count) + " threads";
    for (auto& [state, count] : counts) text += ", " + std::to_string(count) + " " + state;
    snprintf(error, sizeof error, "%s", text.c_str());
}

void prepare_block(Index index) {
    memset(shared_memory, 0xff, shared_used ? shared_used : SHARED_BYTES);  // NaN until written
    fibre_count = threads.x * threads.y * threads.z;
    block = {index, {fibre_count, ++time_now}, {}};
    for (unsigned i = 0; i < fibre_count; ++i) {
        Fibre& fibre = fibres[i];
        fibre.index = {i % threads.x, i / threads.x % threads.y, i / threads.x / threads.y};
        fibre.number = i;
        fibre.returned = false;
        fibre.waits_at = nullptr;
        fibre.shuffles = 0;
        ++block.warps[i / WARP].members;
    }
}

// As far as these threads get by themselves; whether any could go on.
bool run_together(Fibre* first, Fibre* end) {
    bool any = false, moved = true;
    while (std::exchange(moved, false))
        for (Fibre* fibre = first; fibre < end; ++fibre) {
            if (!can_go_on(*fibre)) continue;
            resume(*fibre);
            if (error[0]) return false;
            any = moved = true;
        }
    return any;
}

void run_block() {
    // Warp by warp: the stacks of its threads stay in the cache from one shuffle to the next.
    for (bool moved = true; std::exchange(moved, false);)
        for (unsigned i = 0; i < fibre_count && !error[0]; i += WARP)
            moved |= run_together(&fibres[i], &fibres[std::min(i + WARP, fibre_count)]);
    if (!error[0] && std::any_of(fibres, fibres + fibre_count, [](const Fibre& fibre) { return !fibre.returned; }))
        tell_who_waits();
}

// A race: two threads touch the same byte, one of them writes, and no barrier comes between.
void check_order(const char* begin, size_t bytes, bool writes) {
    const Time met = block.barrier.passed;
    const size_t first = begin - shared_memory;
    for (size_t byte = first; byte < first + bytes; ++byte) {
        Touched& touch = touched[byte];
        const bool others_wrote = touch.written >= met && touch.writer != now->number;
        const bool others_read = touch.read >= met && touch.reader != now->number;
        if (writes) {
            if (others_read) fail("writes byte %zu of shared memory, which others read since their last barrier", byte);
            if (others_wrote) rewrite.bytes = std::min(bytes, sizeof rewrite.before);
            touch.writer = now->number;
            touch.written = time_now;
        } else {
            if (others_wrote)
                fail("reads byte %zu of shared memory, which thread %u wrote since their last barrier", byte,
                     touch.writer);
            touch.reader = others_read ? SEVERAL : now->number;
            touch.read = time_now;
        }
    }
    rewrite.begin = begin;
    memcpy(rewrite.before, begin, rewrite.bytes);
}

void check_access(const void* address, size_t bytes, bool writes) {
    auto begin = static_cast<const char*>(address), end = begin + bytes;
    if (stacks[now->number] <= begin && end <= stacks[now->number] + STACK_BYTES) return;
    check_rewrite();
    if (shared_memory <= begin && end <= shared_memory + shared_used) return check_order(begin, bytes, writes);
    for (int i = 0; i < argument_count; ++i)
        if (arrays[i].begin <= begin && end <= arrays[i].end) return;
    const char* verb = writes ? "writes" : "reads";
    for (int i = 0; i < argument_count; ++i)
        if (arrays[i].begin < arrays[i].end && arrays[i].begin - NEAR < begin && begin < arrays[i].end + NEAR)
            fail("%s %zu bytes at offset %td of argument %d, which has %td bytes", verb, bytes,
                 begin - arrays[i].begin, i, arrays[i].end - arrays[i].begin);
    fail("%s %zu bytes at %p, outside every array", verb, bytes, address);
}

}  // namespace

Index thread_index() { return now->index; }
Index block_index() { return block.index; }
Index block_shape() { return threads; }
Index grid_shape() { return grid; }

void block_barrier(Line line) { meet(block.barrier, "__syncthreads", line); }

unsigned long long shuffle_xor(unsigned mask, unsigned long long bits, int offset, Line line) {
    Meeting& warp = block.warps[now->number / WARP];
    unsigned lane = now->number % WARP, from = lane ^ offset;
    if (mask != ~0u) fail("shuffles on line %d with mask %#x, not the full one", line.number, mask);
    if (from >= warp.members) fail("shuffles on line %d with lane %u of a warp of %u", line.number, from, warp.members);
    unsigned side = now->shuffles++ % 2;
    now->offered[side] = bits;
    meet(warp, "__shfl_xor_sync", line);
    return (now - lane + from)->offered[side];
}

void* shared(Shared& array, size_t bytes, size_t alignment) {
    if (array.launch != launch_number) {
        array = {launch_number, (shared_used + alignment - 1) / alignment * alignment};
        shared_used = array.offset + bytes;
        if (shared_used > SHARED_BYTES) fail("declares %zu bytes of shared memory, of %zu", shared_used, SHARED_BYTES);
    }
    return shared_memory + array.offset;
}

// Out of line, so that the compiler computes none of them elsewhere.
double as_double(float x) {
    Flushing none(false);
    volatile double result = x;
    return result;
}
float as_float(double x) {
    Flushing none(false);
    volatile float result = x;
    return result;
}
float add(float a, float b) {
    Flushing none(false);
    volatile float result = a + b;
    return result;
}
float fused_multiply_add(float a, float b, float c) {
    Flushing none(false);
    volatile float result = fmaf(a, b, c);
    return result;
}
float larger(float a, float b) {
    Flushing none(false);
    volatile float result = __builtin_fmaxf(a, b);
    return result;
}

}  // namespace device

// Runs a kernel; the answer is what went wrong, or null.
extern "C" const char* launch(void (*kernel)(void**), void** arguments, const device::Index* grid,
                              const device::Index* threads, const device::Array* arrays, int argument_count,
                              bool flush) {
    using namespace device;
    Flushing flushing(flush);
    device::kernel = kernel;
    kernel_arguments = arguments;
    device::grid = *grid;
    device::threads = *threads;
    device::arrays = arrays;
    device::argument_count = argument_count;
    shared_used = 0;
    error[0] = 0;
    rewrite.bytes = 0;
    ++launch_number;
    for (unsigned z = 0; z < grid->z && !error[0]; ++z)
        for (unsigned y = 0; y < grid->y && !error[0]; ++y)
            for (unsigned x = 0; x < grid->x && !error[0]; ++x) {
                prepare_block({x, y, z});
                run_block();
            }
    if (!error[0]) return nullptr;
    for (Fibre& fibre : fibres) fibre.started = false;  // they stand somewhere in the kernel: begin anew
    return error;
}

#define ON_ACCESS(bytes)                                                                                         \
    extern "C" void __tsan_read##bytes(void* address) { device::check_access(address, bytes, false); }           \
    extern "C" void __tsan_write##bytes(void* address) { device::check_access(address, bytes, true); }           \
    extern "C" void __tsan_unaligned_read##bytes(void* address) { device::check_access(address, bytes, false); } \
    extern "C" void __tsan_unaligned_write##bytes(void* address) { device::check_access(address, bytes, true); }
ON_ACCESS(1) ON_ACCESS(2) ON_ACCESS(4) ON_ACCESS(8) ON_ACCESS(16)
extern "C" void __tsan_read_range(void* address, size_t bytes) { device::check_access(address, bytes, false); }
extern "C" void __tsan_write_range(void* address, size_t bytes) { device::check_access(address, bytes, true); }
extern "C" void __tsan_init() {}
extern "C" void __tsan_func_entry(void*) {}
extern "C" void __tsan_func_exit() {}

// What every one of the compiler's reports begins with.
struct Place {
    const char* file;
    unsigned line, column;
};
#define ON_UNDEFINED(check, problem)                                     \
    extern "C" void __ubsan_handle_##check##_abort(const Place* place) { \
        device::fail("%s on line %u", problem, place->line);             \
    }
ON_UNDEFINED(type_mismatch_v1, "uses a misaligned address")
ON_UNDEFINED(out_of_bounds, "has an index out of bounds")
ON_UNDEFINED(shift_out_of_bounds, "shifts by too much")
ON_UNDEFINED(add_overflow, "overflows a sum")
ON_UNDEFINED(sub_overflow, "overflows a difference")
ON_UNDEFINED(mul_overflow, "overflows a product")
ON_UNDEFINED(negate_overflow, "overflows a negation")
ON_UNDEFINED(divrem_overflow, "divides by zero or overflows a quotient")
ON_UNDEFINED(float_cast_overflow, "converts a float that does not fit")
