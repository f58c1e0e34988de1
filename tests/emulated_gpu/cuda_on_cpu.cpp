// A small GPU on one CPU thread. Each CUDA thread is a fibre that runs until it has to wait for others; the blocks of a
// cluster run side by side, clusters one after the other. The compiler calls in here before every access to memory
// (-fsanitize=thread) and on undefined behaviour (-fsanitize=alignment,...): no sanitizer's own library is used.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
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
constexpr size_t SHARED_BYTES = 227 << 10;   // the most that a block of an H100 may have
constexpr size_t DECLARED_BYTES = 48 << 10;  // the most of it that __shared__ arrays may take
constexpr unsigned MAX_COPIES = 64;
constexpr unsigned WARP = 32, MAX_THREADS = 1024, MAX_CLUSTER = 8;
constexpr unsigned SEVERAL = ~0u;
constexpr ptrdiff_t NEAR = 1 << 16;  // bytes from an array, to name it in a report

using Time = unsigned long;

// Where threads wait until the last of them comes.
struct Meeting {
    unsigned members, arrived;
    const char* place;
    int line;
    Time passed;
};

struct Block {
    Index index;
    unsigned rank;
    Time read_from_outside;
    Meeting barrier, warps[MAX_THREADS / WARP];
};

// Sixteen bytes on their way to shared memory.
struct Copy {
    void* to;
    char bytes[16];
};

struct Fibre {
    Index index;
    unsigned number;
    Block* block;
    char* stack;
    jmp_buf left;
    bool started, returned;
    Meeting* waits_at;
    Time came;
    unsigned shuffles;
    unsigned long long offered[2];  // a lane may be at its next shuffle before all have read this one
    Copy copies[MAX_COPIES];
    unsigned copies_begun, copies_done;
};

// Who last touched a byte of shared memory, and when. Only threads of its own block write it.
struct Touched {
    unsigned writer, reader;
    Time written, read, read_from_outside;
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

Fibre fibres[MAX_CLUSTER * MAX_THREADS];
unsigned fibre_count, block_count;
Block blocks[MAX_CLUSTER];
Meeting cluster;
alignas(128) char shared_memory[MAX_CLUSTER][SHARED_BYTES];
Touched touched[MAX_CLUSTER][SHARED_BYTES];
size_t shared_used, shared_asked_for;

Fibre* now;
jmp_buf scheduler;
Time time_now, launch_number;
Rewrite rewrite;
char error[1000];

[[noreturn]] void fail(const char* format, ...) {
    Index t = now->index, b = now->block->index;
    int length = sprintf(error, "thread (%u, %u, %u) of block (%u, %u, %u) ", t.x, t.y, t.z, b.x, b.y, b.z);
    va_list values;
    va_start(values, format);
    vsnprintf(error + length, sizeof error - length, format, values);
    _longjmp(scheduler, 1);
}

void check_rewrite() {
    if (rewrite.bytes > 0 && memcmp(rewrite.begin, rewrite.before, std::exchange(rewrite.bytes, 0)) != 0)
        fail("wrote byte %td of shared memory, where another thread wrote something else since their last barrier",
             (rewrite.begin - shared_memory[0]) % SHARED_BYTES);
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
    birth.uc_stack.ss_sp = fibre.stack;
    birth.uc_stack.ss_size = STACK_BYTES;
    makecontext(&birth, live, 0);
    setcontext(&birth);
}

void meet(Meeting& meeting, const char* place, Line line) {
    if (meeting.arrived == 0) {
        meeting.place = place;
        meeting.line = line.number;
    } else if (meeting.line != line.number && &meeting != &cluster) {
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

void prepare_cluster(Index first, unsigned cluster_size) {
    unsigned per_block = threads.x * threads.y * threads.z;
    block_count = cluster_size;
    fibre_count = cluster_size * per_block;
    ++time_now;
    cluster = {fibre_count, 0, nullptr, 0, time_now};
    for (unsigned rank = 0; rank < cluster_size; ++rank)  // NaN until written
        memset(shared_memory[rank], 0xff, shared_used ? shared_used : SHARED_BYTES);
    for (unsigned rank = 0; rank < cluster_size; ++rank) {
        Block& block = blocks[rank];
        block = {{first.x + rank, first.y, first.z}, rank, 0, {per_block, 0, nullptr, 0, time_now}, {}};
        for (unsigned i = 0; i < per_block; ++i) {
            Fibre& fibre = fibres[rank * per_block + i];
            fibre.index = {i % threads.x, i / threads.x % threads.y, i / threads.x / threads.y};
            fibre.number = i;
            fibre.block = &block;
            fibre.returned = false;
            fibre.waits_at = nullptr;
            fibre.shuffles = 0;
            fibre.copies_begun = fibre.copies_done = 0;
            ++block.warps[i / WARP].members;
        }
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

void run_cluster() {
    // Warp by warp: the stacks of its threads stay in the cache from one shuffle to the next.
    for (bool moved = true; std::exchange(moved, false);)
        for (unsigned i = 0; i < fibre_count && !error[0]; i += WARP)
            moved |= run_together(&fibres[i], &fibres[std::min(i + WARP, fibre_count)]);
    if (error[0]) return;
    if (std::any_of(fibres, fibres + fibre_count, [](const Fibre& fibre) { return !fibre.returned; }))
        return tell_who_waits();
    for (unsigned rank = 0; rank < block_count; ++rank)
        if (blocks[rank].read_from_outside >= cluster.passed)
            sprintf(error, "block %u of a cluster may return before others have read its shared memory", rank);
}

// A race: two threads touch the same byte, one of them writes, and no barrier comes between.
void check_order(char* begin, size_t bytes, size_t owner, bool writes) {
    const Time cluster_met = cluster.passed, met = std::max(now->block->barrier.passed, cluster_met);
    Touched* touch = &touched[0][begin - shared_memory[0]];
    for (Touched* end = touch + bytes; touch < end; ++touch) {
        const size_t byte = touch - touched[owner];
        const bool others_wrote = touch->written >= met && touch->writer != now->number;
        const bool others_read = touch->read >= met && touch->reader != now->number;
        if (owner != now->block->rank) {
            if (touch->written >= cluster_met)
                fail("reads byte %zu of the shared memory of block %zu, written since the last cluster_barrier", byte,
                     owner);
            touch->read_from_outside = time_now;
        } else if (writes) {
            if (others_read) fail("writes byte %zu of shared memory, which others read since their last barrier", byte);
            if (touch->read_from_outside >= cluster_met)
                fail("writes byte %zu of shared memory, which another block read since the last cluster_barrier", byte);
            if (others_wrote) rewrite.bytes = std::min(bytes, sizeof rewrite.before);
            touch->writer = now->number;
            touch->written = time_now;
        } else {
            if (others_wrote)
                fail("reads byte %zu of shared memory, which thread %u wrote since their last barrier", byte,
                     touch->writer);
            touch->reader = others_read ? SEVERAL : now->number;
            touch->read = time_now;
        }
    }
    rewrite.begin = begin;
    memcpy(rewrite.before, begin, rewrite.bytes);
}

void check_access(const void* address, size_t bytes, bool writes) {
    auto begin = static_cast<const char*>(address);
    if (now->stack <= begin && begin + bytes <= now->stack + STACK_BYTES) return;
    check_rewrite();
    size_t place = begin - shared_memory[0], owner = place / SHARED_BYTES;
    if (owner < block_count && place % SHARED_BYTES + bytes <= shared_used && (owner == now->block->rank || !writes))
        return check_order(&shared_memory[0][place], bytes, owner, writes);
    for (int i = 0; i < argument_count; ++i)
        if (arrays[i].begin <= begin && begin + bytes <= arrays[i].end) return;
    const char* verb = writes ? "writes" : "reads";
    for (int i = 0; i < argument_count; ++i)
        if (arrays[i].begin < arrays[i].end && arrays[i].begin - NEAR < begin && begin < arrays[i].end + NEAR)
            fail("%s %zu bytes at offset %td of argument %d, which has %td bytes", verb, bytes,
                 begin - arrays[i].begin, i, arrays[i].end - arrays[i].begin);
    fail("%s %zu bytes at %p, outside every array", verb, bytes, address);
}

}  // namespace

Index thread_index() { return now->index; }
Index block_index() { return now->block->index; }
Index block_shape() { return threads; }
Index grid_shape() { return grid; }
int cluster_rank() { return now->block->rank; }

void block_barrier(Line line) { meet(now->block->barrier, "__syncthreads", line); }
void cluster_barrier(Line line) { meet(cluster, "cluster_barrier", line); }

unsigned long long shuffle_xor(unsigned mask, unsigned long long bits, int offset, Line line) {
    Meeting& warp = now->block->warps[now->number / WARP];
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
        if (shared_used > DECLARED_BYTES + shared_asked_for)
            fail("declares %zu bytes of shared memory, of %zu", shared_used, DECLARED_BYTES + shared_asked_for);
    }
    return shared_memory[now->block->rank] + array.offset;
}

void* shared_ahead(Shared& array, size_t bytes, size_t alignment) {
    if (bytes > shared_asked_for)
        fail("uses %zu bytes of shared memory, of %zu that the launch asked for", bytes, shared_asked_for);
    return shared(array, bytes, alignment);
}

void keep_copy(void* to, const char (&bytes)[16]) {
    if (now->copies_begun == MAX_COPIES) fail("has %u copies on the way", MAX_COPIES);
    Copy& copy = now->copies[now->copies_begun++];
    copy.to = to;
    memcpy(copy.bytes, bytes, sizeof bytes);
}

// One more of the copies that this thread began, in their order; null after the last.
void* next_copy(char (&bytes)[16]) {
    if (now->copies_done == now->copies_begun) {
        now->copies_begun = now->copies_done = 0;
        return nullptr;
    }
    Copy& copy = now->copies[now->copies_done++];
    memcpy(bytes, copy.bytes, sizeof bytes);
    return copy.to;
}

const void* in_block(const void* shared, int rank) {
    if (rank < 0 || unsigned(rank) >= block_count) fail("reads from block %d of a cluster of %u", rank, block_count);
    int own = now->block->rank;
    if (rank != own) blocks[rank].read_from_outside = time_now;
    return static_cast<const char*>(shared) + (rank - own) * ptrdiff_t(SHARED_BYTES);
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
extern "C" const char* launch(void (*kernel)(void**), void** arguments, const unsigned* grid, const unsigned* threads,
                              unsigned cluster_size, const device::Array* arrays, int argument_count,
                              size_t shared_bytes, bool flush) {
    using namespace device;
    Flushing flushing(flush);
    if (fibres[0].stack == nullptr) {
        void* stacks = mmap(nullptr, MAX_CLUSTER * MAX_THREADS * STACK_BYTES, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (stacks == MAP_FAILED) return "no memory for the stacks of the threads";
        for (Fibre& fibre : fibres) fibre.stack = static_cast<char*>(stacks) + (&fibre - fibres) * STACK_BYTES;
    }
    device::kernel = kernel;
    kernel_arguments = arguments;
    device::grid = {grid[0], grid[1], grid[2]};
    device::threads = {threads[0], threads[1], threads[2]};
    device::arrays = arrays;
    device::argument_count = argument_count;
    shared_used = 0;
    shared_asked_for = shared_bytes;
    error[0] = 0;
    rewrite.begin = shared_memory[0];
    rewrite.bytes = 0;
    ++launch_number;
    for (unsigned z = 0; z < grid[2] && !error[0]; ++z)
        for (unsigned y = 0; y < grid[1] && !error[0]; ++y)
            for (unsigned x = 0; x < grid[0] && !error[0]; x += cluster_size) {
                prepare_cluster({x, y, z}, cluster_size);
                run_cluster();
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
