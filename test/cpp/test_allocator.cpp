// SPDX-License-Identifier: MIT
//
// OWNS        the proof that the standard containers work over cairn::allocator, on a heap and on an arena, and leave nothing there.
// CALLERS     ctest: as C++11, 14 and 17, with and without exceptions and RTTI.
#include <algorithm>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <typeinfo>
#include <unordered_map>
#include <vector>

#include <cairn/allocator.hpp>

#include "cpp_fixture.hpp"

template <class T, class Backing>
using its_allocator = cairn::allocator<T, Backing>;
template <class T, class Backing>
using its_vector = std::vector<T, its_allocator<T, Backing>>;
template <class Backing>
using its_string = std::basic_string<char, std::char_traits<char>, its_allocator<char, Backing>>;

using traits = std::allocator_traits<cairn::allocator<int>>;
static_assert(traits::propagate_on_container_move_assignment::value && traits::propagate_on_container_swap::value, "memory goes along");
static_assert(!traits::propagate_on_container_copy_assignment::value && !traits::is_always_equal::value, "a copy stays");
static_assert(!std::is_default_constructible<cairn::allocator<int>>::value, "there is no memory that it could mean");
static_assert(std::is_same<traits::rebind_alloc<long>, cairn::allocator<long>>::value, "the backing's kind stays");

struct alignas(64) wide {
    unsigned char bytes[64];
};

// ---------------------------------------------------------------------------------------------------------- containers

template <class Backing>
static void a_vector_grows(void **)
{
    its_vector<int, Backing> numbers(memory<Backing>());
    for (int i = 0; i < 500; i++) {
        numbers.push_back(i);
    }
    assert_true(is_in(memory<Backing>(), numbers.data()));
    assert_true(used_bytes(memory<Backing>()) >= 500 * sizeof(int));
    assert_int_equal(std::accumulate(numbers.begin(), numbers.end(), 0), 500 * 499 / 2);
    numbers.resize(10);
    its_vector<int, Backing>(numbers).swap(numbers); // shrink_to_fit does nothing without exceptions in libstdc++
    assert_true(used_bytes(memory<Backing>()) < 100 * sizeof(int));
    assert_int_equal(numbers.back(), 9);
}

template <class Backing>
static void a_string_grows(void **)
{
    its_string<Backing> text(memory<Backing>());
    for (int i = 0; i < 100; i++) {
        text += "abc";
    }
    assert_true(is_in(memory<Backing>(), text.data()));
    assert_int_equal(text.size(), 300);
    const its_string<Backing> part(text, 150, 60, memory<Backing>()); // substr would make an allocator out of nothing
    assert_int_equal(part.find("cab"), 2);
    assert_string_equal(part.c_str() + 54, "abcabc");
}

template <class Backing>
static void maps_find_what_was_put_in(void **)
{
    using entry = std::pair<const int, int>;
    std::map<int, int, std::less<int>, its_allocator<entry, Backing>> ordered(std::less<int>(), memory<Backing>());
    std::unordered_map<int, int, std::hash<int>, std::equal_to<int>, its_allocator<entry, Backing>> hashed(
        4, std::hash<int>(), std::equal_to<int>(), memory<Backing>());
    for (int i = 0; i < 100; i++) {
        ordered[i * 37 % 100] = i;
        hashed[i * 37 % 100] = i;
    }
    for (int i = 0; i < 100; i += 2) {
        assert_int_equal(ordered.erase(i), 1);
        assert_int_equal(hashed.erase(i), 1);
    }
    assert_int_equal(ordered.size(), 50);
    assert_int_equal(hashed.size(), 50);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(ordered.count(i * 37 % 100), i * 37 % 100 % 2);
        assert_int_equal(hashed.count(i * 37 % 100), i * 37 % 100 % 2);
    }
    assert_int_equal(ordered.at(37), 1);
    assert_int_equal(hashed.at(37), 1);
    assert_true(is_in(memory<Backing>(), &ordered.at(37)));
    assert_true(is_in(memory<Backing>(), &hashed.at(37)));
}

template <class Backing>
static void lists_and_deques_grow_at_both_ends(void **)
{
    std::list<int, its_allocator<int, Backing>> linked(memory<Backing>());
    std::deque<int, its_allocator<int, Backing>> cut(memory<Backing>());
    for (int i = 0; i < 200; i++) {
        linked.push_front(i);
        linked.push_back(-i);
        cut.push_front(i);
        cut.push_back(-i);
    }
    assert_true(is_in(memory<Backing>(), &linked.front()));
    assert_true(is_in(memory<Backing>(), &cut.front()));
    assert_true(std::equal(linked.begin(), linked.end(), cut.begin()));
    linked.sort();
    linked.unique();
    assert_int_equal(linked.size(), 399);
    for (int i = 0; i < 150; i++) {
        cut.pop_front();
        cut.pop_back();
    }
    assert_int_equal(cut.front(), 49);
    assert_int_equal(cut.size(), 100);
}

template <class Backing>
static void a_container_in_a_container_shares_its_memory(void **)
{
    its_vector<its_string<Backing>, Backing> lines(memory<Backing>());
    for (char letter = 'a'; letter <= 'z'; letter++) {
        lines.push_back(its_string<Backing>(50, letter, memory<Backing>()));
    }
    lines.erase(lines.begin(), lines.begin() + 13);
    assert_int_equal(lines.front()[49], 'n');
    assert_true(is_in(memory<Backing>(), lines.front().data()));
}

template <class Backing>
static void a_shared_object_lies_in_it_with_its_counts(void **)
{
    const std::size_t before = used_bytes(memory<Backing>());
    std::shared_ptr<wide> object = std::allocate_shared<wide>(its_allocator<wide, Backing>(memory<Backing>()));
    std::weak_ptr<wide> watcher = object;
    assert_true(is_in(memory<Backing>(), object.get()));
    assert_true(is_aligned(object.get(), alignof(wide)));
    assert_true(used_bytes(memory<Backing>()) > before + sizeof(wide));
    object.reset();
    assert_true(watcher.expired());
    watcher.reset();
    assert_int_equal(used_bytes(memory<Backing>()), before);
}

template <class Backing>
static void an_over_aligned_type_is_aligned(void **)
{
    its_vector<char, Backing> odd(8, 'x', memory<Backing>()); // what follows does not start at 64 by chance
    its_vector<wide, Backing> row(memory<Backing>());
    std::list<wide, its_allocator<wide, Backing>> linked(memory<Backing>());
    for (unsigned i = 0; i < 20; i++) {
        row.push_back(wide());
        linked.push_back(wide());
        assert_true(is_aligned(row.data(), 64));
        assert_true(is_aligned(&linked.back(), 64));
    }
    assert_true(is_in(memory<Backing>(), row.data()));
}

// --------------------------------------------------------------------------------------------------------- propagation

template <class Backing>
static void a_move_takes_the_memory_along(void **)
{
    its_vector<int, Backing> from(100, 7, memory<Backing>());
    its_vector<int, Backing> to(50, 8, other_memory<Backing>());
    const int *const numbers = from.data();
    to = std::move(from);
    assert_ptr_equal(to.data(), numbers);
    assert_ptr_equal(to.get_allocator().backing(), memory<Backing>());
    assert_int_equal(used_bytes(other_memory<Backing>()), 0);
}

template <class Backing>
static void a_swap_exchanges_the_memories(void **)
{
    its_vector<int, Backing> one(100, 7, memory<Backing>());
    its_vector<int, Backing> two(50, 8, other_memory<Backing>());
    one.swap(two);
    assert_true(is_in(memory<Backing>(), two.data()));
    assert_true(is_in(other_memory<Backing>(), one.data()));
    assert_ptr_equal(one.get_allocator().backing(), other_memory<Backing>());
    one.resize(200); // a block goes back to where it came from
    two.resize(200);
    assert_int_equal(one[49], 8);
    assert_int_equal(two[99], 7);
}

template <class Backing>
static void a_copy_stays_where_it_is(void **)
{
    const its_vector<int, Backing> from(100, 7, memory<Backing>());
    its_vector<int, Backing> to(other_memory<Backing>());
    to = from;
    assert_true(is_in(other_memory<Backing>(), to.data()));
    assert_ptr_equal(to.get_allocator().backing(), other_memory<Backing>());
    const its_vector<int, Backing> born(from);
    assert_true(is_in(memory<Backing>(), born.data()));
    assert_true(to == from && born == from);
}

template <class Backing>
static void allocators_are_equal_by_backing(void **)
{
    const its_allocator<int, Backing> one(memory<Backing>());
    const its_allocator<long, Backing> same(one);
    const its_allocator<int, Backing> other(other_memory<Backing>());
    assert_true(one == same && !(one != same));
    assert_true(one != other && !(one == other));
    its_allocator<int, Backing> first(one);
    its_allocator<int, Backing> second(same); // rebound, and back
    first.deallocate(second.allocate(3), 3);
    assert_int_equal(used_bytes(memory<Backing>()), 0);
}

// ---------------------------------------------------------------------------------------------------------- the limits

template <class Backing>
static void no_objects_still_have_an_address(void **)
{
    its_allocator<int, Backing> allocator(memory<Backing>());
    int *const one = allocator.allocate(0);
    int *const two = allocator.allocate(0);
    assert_non_null(one);
    assert_non_null(two);
    assert_ptr_not_equal(one, two);
    allocator.deallocate(one, 0);
    allocator.deallocate(two, 0);
}

template <class Backing>
static void what_is_no_block_is_refused(void **)
{
    NEEDS_HARDENING;
    its_allocator<long, Backing> allocator(memory<Backing>());
    its_allocator<long, Backing> other(other_memory<Backing>());
    long *const block = allocator.allocate(20);
    allocator.deallocate(block + 8, 12);
    expect_report(CAIRN_WRONG_INTERIOR, block + 8);
    other.deallocate(block, 20);
    expect_report(CAIRN_WRONG_POINTER, block);
    allocator.deallocate(block, 20);
    allocator.deallocate(block, 20);
    expect_report(CAIRN_WRONG_DOUBLE_FREE, block);
}

#if defined(__cpp_exceptions)

// Runs the call; does it throw just an E?
template <class E, class Call>
static bool throws(Call call)
{
    try {
        call();
    } catch (const E &thrown) {
        return typeid(thrown) == typeid(E);
    }
    return false;
}

template <class Backing>
static void too_many_objects_are_a_bad_length(void **)
{
    its_allocator<wide, Backing> allocator(memory<Backing>());
    const std::size_t most = SIZE_MAX / sizeof(wide);
    assert_true(throws<std::bad_array_new_length>([&] { (void)allocator.allocate(most + 1); }));
    assert_true(throws<std::bad_array_new_length>([&] { (void)allocator.allocate(SIZE_MAX); }));
    assert_int_equal(failures(memory<Backing>()), 0); // nobody asked for what the product wraps around to
    assert_true(throws<std::bad_alloc>([&] { (void)allocator.allocate(most); }));
    assert_int_equal(failures(memory<Backing>()), 1);
}

template <class Backing>
static void exhaustion_throws_and_loses_nothing(void **)
{
    its_vector<int, Backing> numbers(memory<Backing>());
    std::list<int, its_allocator<int, Backing>> linked(memory<Backing>());
    int count = 0;
    assert_true(throws<std::bad_alloc>([&] {
        for (;; count++) {
            numbers.push_back(count);
        }
    }));
    assert_true(count >= 2048);
    assert_int_equal(numbers.size(), count);
    assert_int_equal(numbers.back(), count - 1);
    assert_true(throws<std::bad_alloc>([&] {
        for (;;) {
            linked.push_back(count);
        }
    }));
    numbers.clear();
    numbers.shrink_to_fit();
    linked.push_back(count);
    assert_int_equal(linked.back(), count);
}

// Its third copy fails, and it owns a block of its own.
struct brittle {
    static int left;
    its_vector<int, cairn_arena> owned;

    brittle() : owned(10, 1, memory<cairn_arena>()) {}
    brittle(const brittle &other) : owned(other.owned)
    {
        if (left-- == 0) {
            throw 42;
        }
    }
};
int brittle::left;

template <class Backing>
static void a_constructor_that_throws_gives_its_memory_back(void **)
{
    const brittle original;
    const std::size_t before = used_bytes(memory<cairn_arena>());
    for (int left = 0; left < 5; left++) {
        brittle::left = left;
        assert_true(throws<int>([&] { its_vector<brittle, Backing>(5, original, memory<Backing>()); }));
        brittle::left = left;
        assert_true(throws<int>([&] { std::list<brittle, its_allocator<brittle, Backing>>(5, original, memory<Backing>()); }));
        brittle::left = 0;
        assert_true(throws<int>([&] { std::allocate_shared<brittle>(its_allocator<brittle, Backing>(memory<Backing>()), original); }));
        assert_int_equal(used_bytes(memory<cairn_arena>()), before);
        assert_int_equal(used_bytes(memory<cairn_heap>()), 0);
    }
}

#define THROWING(Backing) \
    CPP_UNIT(too_many_objects_are_a_bad_length<Backing>), CPP_UNIT(exhaustion_throws_and_loses_nothing<Backing>), \
        CPP_UNIT(a_constructor_that_throws_gives_its_memory_back<Backing>),
#else
#define THROWING(Backing)
#endif

#define ON(Backing) \
    CPP_UNIT(a_vector_grows<Backing>), CPP_UNIT(a_string_grows<Backing>), CPP_UNIT(maps_find_what_was_put_in<Backing>), \
        CPP_UNIT(lists_and_deques_grow_at_both_ends<Backing>), CPP_UNIT(a_container_in_a_container_shares_its_memory<Backing>), \
        CPP_UNIT(a_shared_object_lies_in_it_with_its_counts<Backing>), CPP_UNIT(an_over_aligned_type_is_aligned<Backing>), \
        CPP_UNIT(a_move_takes_the_memory_along<Backing>), CPP_UNIT(a_swap_exchanges_the_memories<Backing>), \
        CPP_UNIT(a_copy_stays_where_it_is<Backing>), CPP_UNIT(allocators_are_equal_by_backing<Backing>), \
        CPP_UNIT(no_objects_still_have_an_address<Backing>), CPP_UNIT(what_is_no_block_is_refused<Backing>), THROWING(Backing)

int main()
{
    static const struct CMUnitTest tests[] = {ON(cairn_heap) ON(cairn_arena)};
    return cmocka_run_group_tests_name("allocator", tests, NULL, NULL);
}
