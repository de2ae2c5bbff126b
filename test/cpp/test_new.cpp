// SPDX-License-Identifier: MIT
//
// OWNS        the proof that operator new and delete of a program that includes cairn/new.hpp are cairn's, in all their forms.
// PICTURE     set-up: bytes used, noted -> the test -> tear-down: check(), as many are used, no new-handler, no report left unread
// CALLERS     ctest: over an arena and over a heap, with and without exceptions and RTTI.
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <unordered_map>
#include <vector>

#include "cpp_fixture.hpp"
#include "program_memory.hpp"

#define LEAST __STDCPP_DEFAULT_NEW_ALIGNMENT__

static std::vector<int> early(100, 7); // before main()
static std::size_t used_before;
static const volatile std::size_t too_much = 300 * 1024; // more than there is

struct alignas(128) wide {
    unsigned char bytes[128];
};

static std::size_t used()
{
    return used_bytes(program_memory());
}

static bool is_ours(const void *address)
{
#ifdef PROGRAM_ON_HEAP
    return cairn_heap_usable_size(program_memory(), address) != 0;
#else
    return cairn_arena_region_of(program_memory(), address) != nullptr && cairn_arena_usable_size(program_memory(), address) != 0;
#endif
}

static bool is_sound()
{
#ifdef PROGRAM_ON_HEAP
    return cairn_heap_check(program_memory(), nullptr) == 0;
#else
    return cairn_arena_check(program_memory(), nullptr) == 0;
#endif
}

static int new_setup(void **)
{
    used_before = used();
    return 0;
}

static int new_teardown(void **)
{
    if (has_reports() || !is_sound() || used() != used_before || std::get_new_handler() != nullptr) {
        print_error("a report, a broken rule, a new-handler, or %u bytes used that were %u\n", static_cast<unsigned>(used()),
                    static_cast<unsigned>(used_before));
        return -1;
    }
    return 0;
}

// --------------------------------------------------------------------------------------------------------------- forms

// A block of that size and alignment was given out.
static void assert_taken(const void *block, std::size_t size, std::size_t alignment)
{
    assert_true(is_ours(block));
    assert_true(is_aligned(block, alignment));
    assert_true(used() >= used_before + size);
}

static void assert_given()
{
    assert_int_equal(used(), used_before);
}

static void the_plain_forms_are_replaced(void **)
{
    for (std::size_t size = 0; size < 200; size += 7) {
        void *block = ::operator new(size);
        assert_taken(block, size, LEAST);
        ::operator delete(block);
        assert_given();
        block = ::operator new(size);
        ::operator delete(block, size);
        assert_given();
        block = ::operator new[](size);
        assert_taken(block, size, LEAST);
        ::operator delete[](block);
        assert_given();
        block = ::operator new[](size);
        ::operator delete[](block, size);
        assert_given();
    }
}

static void the_nothrow_forms_are_replaced(void **)
{
    void *block = ::operator new(100, std::nothrow);
    assert_taken(block, 100, LEAST);
    ::operator delete(block, std::nothrow);
    assert_given();
    block = ::operator new[](100, std::nothrow);
    assert_taken(block, 100, LEAST);
    ::operator delete[](block, std::nothrow);
    assert_given();
}

static void the_aligned_forms_are_replaced(void **)
{
    for (std::size_t alignment = 1; alignment <= 4096; alignment *= 2) {
        const std::align_val_t at = std::align_val_t(alignment);
        void *block = ::operator new(24, at);
        assert_taken(block, 24, alignment);
        ::operator delete(block, at);
        assert_given();
        block = ::operator new(24, at);
        ::operator delete(block, 24, at);
        assert_given();
        block = ::operator new[](24, at);
        assert_taken(block, 24, alignment);
        ::operator delete[](block, at);
        assert_given();
        block = ::operator new[](24, at);
        ::operator delete[](block, 24, at);
        assert_given();
        block = ::operator new(24, at, std::nothrow);
        assert_taken(block, 24, alignment);
        ::operator delete(block, at, std::nothrow);
        assert_given();
        block = ::operator new[](24, at, std::nothrow);
        assert_taken(block, 24, alignment);
        ::operator delete[](block, at, std::nothrow);
        assert_given();
    }
}

static void no_bytes_still_have_an_address(void **)
{
    void *const blocks[] = {::operator new(0), ::operator new(0), ::operator new[](0), ::operator new(0, std::nothrow),
                            ::operator new(0, std::align_val_t(64))};
    for (int i = 0; i < 5; i++) {
        assert_true(is_ours(blocks[i]));
        for (int k = 0; k < i; k++) {
            assert_ptr_not_equal(blocks[i], blocks[k]);
        }
    }
    for (void *block : blocks) {
        ::operator delete(block);
    }
}

static void nullptr_is_nothing_to_delete(void **)
{
    void *volatile nothing = nullptr;
    ::operator delete(nothing);
    ::operator delete[](nothing, std::size_t(8));
    ::operator delete(nothing, std::align_val_t(64));
}

static void what_is_no_block_is_refused(void **)
{
    NEEDS_HARDENING;
    unsigned char *const block = static_cast<unsigned char *>(::operator new(100));
    void *volatile inside = block + 32;
    void *volatile twice = block;
    ::operator delete(inside);
    expect_report(CAIRN_WRONG_INTERIOR, inside);
    ::operator delete(twice);
    ::operator delete(twice);
    expect_report(CAIRN_WRONG_DOUBLE_FREE, twice);
}

// ---------------------------------------------------------------------------------------------------------- containers

static void objects_made_before_main_lie_in_it(void **)
{
    assert_true(is_ours(early.data()));
    assert_int_equal(early.size(), 100);
    assert_int_equal(early[99], 7);
}

static void the_containers_lie_in_it(void **)
{
    std::vector<std::string> lines;
    std::map<int, std::string> ordered;
    std::unordered_map<std::string, int> hashed;
    std::list<int> linked;
    std::deque<int> cut;
    for (int i = 0; i < 100; i++) {
        lines.push_back(std::string(40, static_cast<char>('a' + i % 26)));
        ordered[i] = lines.back();
        hashed[lines.back()] += 1;
        linked.push_front(i);
        cut.push_front(i);
    }
    assert_true(is_ours(lines.data()));
    assert_true(is_ours(lines[50].data()));
    assert_int_equal(hashed.size(), 26);
    assert_int_equal(hashed[std::string(40, 'v')], 4);
    assert_int_equal(hashed[std::string(40, 'w')], 3);
    assert_true(ordered[77] == lines[77]);
    assert_int_equal(linked.back() + cut.front(), 99);
    assert_true(used() > used_before + 100 * 2 * 41);
}

static void functions_and_pointers_lie_in_it(void **)
{
    struct { int numbers[20]; } captured = {};
    captured.numbers[19] = 41;
    const std::size_t before = used();
    const std::function<int(int)> function = [captured](int n) { return captured.numbers[19] + n; };
    assert_true(used() >= before + sizeof captured); // too large for the function itself
    assert_int_equal(function(1), 42);
    const std::shared_ptr<std::string> shared = std::make_shared<std::string>(100, 's');
    const std::unique_ptr<int[]> array(new int[50]());
    assert_true(is_ours(shared->data()));
    assert_true(is_ours(array.get()));
    assert_int_equal(array[49], 0);
}

static void over_aligned_objects_are_aligned(void **)
{
    const std::unique_ptr<char> odd(new char('x'));
    const std::unique_ptr<wide> one(new wide);
    const std::unique_ptr<wide[]> many(new wide[3]);
    const std::vector<wide> row(5);
    assert_true(is_ours(odd.get()));
    assert_true(is_ours(one.get()) && is_aligned(one.get(), 128));
    assert_true(is_ours(many.get()) && is_aligned(many.get(), 128));
    assert_true(is_ours(row.data()) && is_aligned(row.data(), 128));
}

// ---------------------------------------------------------------------------------------------------------- exhaustion

static void exhaustion_is_nullptr_where_nothing_may_be_thrown(void **)
{
    assert_null(::operator new(too_much, std::nothrow));
    assert_null(::operator new[](too_much, std::nothrow));
    assert_null(::operator new(too_much, std::align_val_t(64), std::nothrow));
    assert_null(::operator new[](too_much, std::align_val_t(64), std::nothrow));
    std::vector<void *> blocks;
    blocks.reserve(1000);
    void *block;
    while ((block = ::operator new(1000, std::nothrow)) != nullptr) {
        blocks.push_back(block);
    }
    assert_true(blocks.size() > 200 && blocks.size() < 1000);
    for (void *each : blocks) {
        ::operator delete(each);
    }
    block = ::operator new(1000, std::nothrow);
    assert_non_null(block);
    ::operator delete(block);
}

static void *reserve;
static int handled;

static void give_reserve_up()
{
    handled++;
    ::operator delete(reserve);
    reserve = nullptr;
}

static void give_up()
{
    handled++;
    if (handled == 3) {
        std::set_new_handler(nullptr);
    }
}

static void a_new_handler_makes_room(void **)
{
    reserve = ::operator new(200 * 1024);
    handled = 0;
    std::set_new_handler(give_reserve_up);
    void *const block = ::operator new(150 * 1024);
    std::set_new_handler(nullptr);
    assert_int_equal(handled, 1);
    assert_taken(block, 150 * 1024, LEAST);
    ::operator delete(block);
}

static void a_new_handler_is_called_until_it_gives_up(void **)
{
    handled = 0;
    std::set_new_handler(give_up);
    assert_null(::operator new(too_much, std::nothrow));
    assert_int_equal(handled, 3);
}

#if defined(__cpp_exceptions)

static void *volatile taken; // what nobody uses, the compiler may leave out

static void throw_from_handler()
{
    handled++;
    throw std::bad_alloc();
}

template <class Call>
static bool is_refused(Call call)
{
    try {
        call();
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

static void exhaustion_throws(void **)
{
    assert_true(is_refused([] { taken = ::operator new(too_much); }));
    assert_true(is_refused([] { taken = ::operator new[](too_much); }));
    assert_true(is_refused([] { taken = ::operator new(too_much, std::align_val_t(64)); }));
    assert_true(is_refused([] { taken = ::operator new[](too_much, std::align_val_t(64)); }));
    assert_true(is_refused([] { taken = std::vector<char>(too_much).data(); }));
}

static void a_new_handler_that_throws_is_heard(void **)
{
    handled = 0;
    std::set_new_handler(throw_from_handler);
    assert_true(is_refused([] { taken = ::operator new(too_much); }));
    assert_null(::operator new(too_much, std::nothrow));
    assert_null(::operator new[](too_much, std::align_val_t(64), std::nothrow));
    std::set_new_handler(nullptr);
    assert_int_equal(handled, 3);
}

// The constructor of the one that `left` counts down to fails, and each owns a block.
struct brittle {
    static int left;
    std::unique_ptr<int> owned;

    brittle() : owned(new int(1))
    {
        if (left-- == 0) {
            throw 42;
        }
    }
};
int brittle::left;

template <class Call>
static void assert_throws_and_gives_back(int left, Call call)
{
    bool thrown = false;
    brittle::left = left;
    try {
        call();
    } catch (int) {
        thrown = true;
    }
    assert_true(thrown);
    assert_given();
}

static void a_constructor_that_throws_gives_its_memory_back(void **)
{
    for (int left = 0; left < 4; left++) {
        assert_throws_and_gives_back(left, [] { delete[] new brittle[4]; });
        assert_throws_and_gives_back(left, [] { std::vector<brittle> row(4); });
        assert_throws_and_gives_back(left, [] { std::list<brittle> linked(4); });
        assert_throws_and_gives_back(left, [] {
            std::map<int, brittle> ordered;
            for (int i = 0;; i++) {
                (void)ordered[i];
            }
        });
    }
    assert_throws_and_gives_back(0, [] { delete new brittle; });
    assert_throws_and_gives_back(0, [] { delete new (std::nothrow) brittle; });
    assert_throws_and_gives_back(0, [] { (void)std::make_shared<brittle>(); });
}

#endif

#define NEW_UNIT(test) cmocka_unit_test_setup_teardown(test, new_setup, new_teardown)

int main()
{
    static const struct CMUnitTest tests[] = {
        NEW_UNIT(the_plain_forms_are_replaced),
        NEW_UNIT(the_nothrow_forms_are_replaced),
        NEW_UNIT(the_aligned_forms_are_replaced),
        NEW_UNIT(no_bytes_still_have_an_address),
        NEW_UNIT(nullptr_is_nothing_to_delete),
        NEW_UNIT(what_is_no_block_is_refused),
        NEW_UNIT(objects_made_before_main_lie_in_it),
        NEW_UNIT(the_containers_lie_in_it),
        NEW_UNIT(functions_and_pointers_lie_in_it),
        NEW_UNIT(over_aligned_objects_are_aligned),
        NEW_UNIT(exhaustion_is_nullptr_where_nothing_may_be_thrown),
        NEW_UNIT(a_new_handler_makes_room),
        NEW_UNIT(a_new_handler_is_called_until_it_gives_up),
#if defined(__cpp_exceptions)
        NEW_UNIT(exhaustion_throws),
        NEW_UNIT(a_new_handler_that_throws_is_heard),
        NEW_UNIT(a_constructor_that_throws_gives_its_memory_back),
#endif
    };
    return cmocka_run_group_tests_name("new", tests, NULL, NULL);
}
