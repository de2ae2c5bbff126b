// SPDX-License-Identifier: MIT
//
// OWNS        the proof that the std::pmr containers work over cairn::memory_resource, on a heap and on an arena, and leave nothing there.
// CALLERS     ctest: with and without exceptions and RTTI.
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <string>
#include <unordered_map>
#include <vector>

#include <cairn/memory_resource.hpp>

#include "cpp_fixture.hpp"

static_assert(std::is_same<decltype(cairn::memory_resource(static_cast<cairn_heap *>(nullptr))), cairn::memory_resource<cairn_heap>>::value,
              "the argument tells the kind");

struct alignas(64) wide {
    unsigned char bytes[64];
};

template <class Backing>
static void containers_of_containers_lie_in_it(void **)
{
    cairn::memory_resource resource(memory<Backing>());
    std::pmr::map<int, std::pmr::string> ordered(&resource);
    std::pmr::unordered_map<int, std::pmr::vector<int>> hashed(&resource);
    for (int i = 0; i < 40; i++) {
        ordered[i].assign(60, static_cast<char>('a' + i % 26));
        hashed[i].assign(20, i);
    }
    assert_true(is_in(memory<Backing>(), ordered[30].data())); // the resource was handed on
    assert_true(is_in(memory<Backing>(), hashed[30].data()));
    assert_true(is_in(memory<Backing>(), &hashed[30]));
    for (int i = 0; i < 40; i += 2) {
        ordered.erase(i);
        hashed.erase(i);
    }
    assert_int_equal(ordered.size() + hashed.size(), 40);
    assert_int_equal(ordered[31][59], 'a' + 5);
    assert_int_equal(hashed[31][19], 31);
}

template <class Backing>
static void lists_and_deques_grow_at_both_ends(void **)
{
    cairn::memory_resource resource(memory<Backing>());
    std::pmr::list<int> linked(&resource);
    std::pmr::deque<int> cut(&resource);
    for (int i = 0; i < 200; i++) {
        linked.push_front(i);
        cut.push_front(i);
        cut.push_back(-i);
    }
    assert_true(is_in(memory<Backing>(), &linked.back()));
    assert_true(is_in(memory<Backing>(), &cut.back()));
    linked.reverse();
    assert_int_equal(linked.front(), 0);
    assert_int_equal(cut.front(), 199);
    assert_int_equal(cut.back(), -199);
}

template <class Backing>
static void the_standard_resources_stand_on_it(void **)
{
    cairn::memory_resource resource(memory<Backing>());
    {
        std::pmr::monotonic_buffer_resource buffer(256, &resource);
        std::pmr::unsynchronized_pool_resource pools(&resource);
        std::pmr::vector<std::pmr::string> lines(&buffer);
        std::pmr::list<int> linked(&pools);
        for (int i = 0; i < 30; i++) {
            lines.emplace_back(40, 'x');
            linked.push_back(i);
        }
        assert_true(is_in(memory<Backing>(), lines[29].data()));
        assert_true(is_in(memory<Backing>(), &linked.front()));
    }
    assert_int_equal(used_bytes(memory<Backing>()), 0);
}

template <class Backing>
static void a_shared_object_lies_in_it(void **)
{
    cairn::memory_resource resource(memory<Backing>());
    const std::shared_ptr<wide> object = std::allocate_shared<wide>(std::pmr::polymorphic_allocator<wide>(&resource));
    assert_true(is_in(memory<Backing>(), object.get()));
    assert_true(is_aligned(object.get(), 64));
}

template <class Backing>
static void alignment_is_as_asked_for(void **)
{
    cairn::memory_resource resource(memory<Backing>());
    for (std::size_t alignment = 1; alignment <= 1024; alignment *= 2) {
        void *const odd = resource.allocate(8, 8);
        void *const block = resource.allocate(24, alignment);
        assert_true(is_aligned(block, alignment));
        assert_true(is_in(memory<Backing>(), block));
        resource.deallocate(block, 24, alignment);
        resource.deallocate(odd, 8, 8);
    }
}

template <class Backing>
static void no_bytes_still_have_an_address(void **)
{
    cairn::memory_resource resource(memory<Backing>());
    void *const one = resource.allocate(0);
    void *const two = resource.allocate(0);
    assert_non_null(one);
    assert_ptr_not_equal(one, two);
    resource.deallocate(one, 0);
    resource.deallocate(two, 0);
}

// By backing where RTTI tells the kind of the other; else by identity, and then a move copies.
template <class Backing>
static void resources_are_equal_by_backing(void **)
{
    cairn::memory_resource resource(memory<Backing>());
    cairn::memory_resource same(memory<Backing>());
    cairn::memory_resource other(other_memory<Backing>());
    std::pmr::vector<int> from(100, 7, &resource);
    std::pmr::vector<int> to(&same);
    const int *const numbers = from.data();
    assert_true(resource == resource);
    assert_true(resource != other);
    assert_true(resource != *std::pmr::null_memory_resource());
    to = std::move(from);
    assert_int_equal(to[99], 7);
    assert_ptr_equal(resource.backing(), memory<Backing>());
#if defined(__cpp_rtti)
    assert_true(resource == same);
    assert_ptr_equal(to.data(), numbers);
#else
    assert_true(resource != same);
    assert_ptr_not_equal(to.data(), numbers);
#endif
    std::pmr::vector<int> away(&other);
    away = std::move(to);
    assert_true(is_in(other_memory<Backing>(), away.data()));
}

static void kinds_are_not_equal(void **)
{
    cairn::memory_resource on_heap(memory<cairn_heap>());
    cairn::memory_resource on_arena(memory<cairn_arena>());
    assert_true(on_heap != on_arena);
    assert_true(on_arena != on_heap);
}

template <class Backing>
static void what_is_no_block_is_refused(void **)
{
    NEEDS_HARDENING;
    cairn::memory_resource resource(memory<Backing>());
    unsigned char *const block = static_cast<unsigned char *>(resource.allocate(100));
    resource.deallocate(block + 32, 68);
    expect_report(CAIRN_WRONG_INTERIOR, block + 32);
    resource.deallocate(block, 100);
    resource.deallocate(block, 100);
    expect_report(CAIRN_WRONG_DOUBLE_FREE, block);
}

#if defined(__cpp_exceptions)

template <class Backing>
static bool is_refused(cairn::memory_resource<Backing> &resource, std::size_t size)
{
    try {
        (void)resource.allocate(size);
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

template <class Backing>
static void exhaustion_throws_and_loses_nothing(void **)
{
    cairn::memory_resource resource(memory<Backing>());
    std::pmr::list<int> linked(&resource);
    assert_true(is_refused(resource, SIZE_MAX));
    assert_true(is_refused(resource, SIZE_MAX / 2));
    bool thrown = false;
    try {
        for (;;) {
            linked.push_back(1);
        }
    } catch (const std::bad_alloc &) {
        thrown = true;
    }
    assert_true(thrown);
    assert_true(linked.size() > 1000);
    assert_true(is_refused(resource, sizeof(void *) * 3));
    linked.pop_front();
    linked.push_back(2);
    assert_int_equal(linked.back(), 2);
}

#define THROWING(Backing) CPP_UNIT(exhaustion_throws_and_loses_nothing<Backing>),
#else
#define THROWING(Backing)
#endif

#define ON(Backing) \
    CPP_UNIT(containers_of_containers_lie_in_it<Backing>), CPP_UNIT(lists_and_deques_grow_at_both_ends<Backing>), \
        CPP_UNIT(the_standard_resources_stand_on_it<Backing>), CPP_UNIT(a_shared_object_lies_in_it<Backing>), \
        CPP_UNIT(alignment_is_as_asked_for<Backing>), CPP_UNIT(no_bytes_still_have_an_address<Backing>), \
        CPP_UNIT(resources_are_equal_by_backing<Backing>), CPP_UNIT(what_is_no_block_is_refused<Backing>), THROWING(Backing)

int main()
{
    static const struct CMUnitTest tests[] = {ON(cairn_heap) ON(cairn_arena) CPP_UNIT(kinds_are_not_equal)};
    return cmocka_run_group_tests_name("memory_resource", tests, NULL, NULL);
}
