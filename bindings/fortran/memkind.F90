! SPDX-License-Identifier: BSD-2-Clause
! Copyright (C) 2026 the libmemkind developers.
!
! memkind: arrays of rank 1 to 7 in the memory of a kind, for Fortran 2008. docs/languages/fortran.md says how it is
! used.
!
! The generic procedures have a specific one for each type and rank: memkind_rank.inc is included once a rank and
! includes memkind_array.inc once a type. Each of them is what depends on type and rank only; the rest is here.
module memkind
    use, intrinsic :: iso_c_binding
    use, intrinsic :: iso_fortran_env, only: error_unit, int8, int16, int32, int64, real32, real64
    implicit none
    private

    !> A kind. One that is not given a value is none.
    type, public :: memkind_t
        private
        type(c_ptr) :: handle = c_null_ptr
    end type memkind_t

    ! The static kinds, for memkind_static(): memkind.h says what each is. The numbers are those of
    ! memkind_deprecated.h, which never change.
    enum, bind(C)
        enumerator :: MEMKIND_DEFAULT = 0, MEMKIND_HBW = 1, MEMKIND_HBW_HUGETLB = 2, MEMKIND_HBW_PREFERRED = 3
        enumerator :: MEMKIND_HBW_PREFERRED_HUGETLB = 4, MEMKIND_HUGETLB = 5, MEMKIND_HBW_INTERLEAVE = 9
        enumerator :: MEMKIND_INTERLEAVE = 10, MEMKIND_REGULAR = 11, MEMKIND_HBW_ALL = 12
        enumerator :: MEMKIND_HBW_ALL_HUGETLB = 13, MEMKIND_DAX_KMEM = 14, MEMKIND_DAX_KMEM_ALL = 15
        enumerator :: MEMKIND_DAX_KMEM_PREFERRED = 16, MEMKIND_DAX_KMEM_INTERLEAVE = 17
        enumerator :: MEMKIND_HIGHEST_CAPACITY = 18, MEMKIND_HIGHEST_CAPACITY_PREFERRED = 19
        enumerator :: MEMKIND_HIGHEST_CAPACITY_LOCAL = 20, MEMKIND_HIGHEST_CAPACITY_LOCAL_PREFERRED = 21
        enumerator :: MEMKIND_LOWEST_LATENCY_LOCAL = 22, MEMKIND_LOWEST_LATENCY_LOCAL_PREFERRED = 23
        enumerator :: MEMKIND_HIGHEST_BANDWIDTH_LOCAL = 24, MEMKIND_HIGHEST_BANDWIDTH_LOCAL_PREFERRED = 25
    end enum
    public :: MEMKIND_DEFAULT, MEMKIND_HBW, MEMKIND_HBW_HUGETLB, MEMKIND_HBW_PREFERRED
    public :: MEMKIND_HBW_PREFERRED_HUGETLB, MEMKIND_HUGETLB, MEMKIND_HBW_INTERLEAVE
    public :: MEMKIND_INTERLEAVE, MEMKIND_REGULAR, MEMKIND_HBW_ALL
    public :: MEMKIND_HBW_ALL_HUGETLB, MEMKIND_DAX_KMEM, MEMKIND_DAX_KMEM_ALL
    public :: MEMKIND_DAX_KMEM_PREFERRED, MEMKIND_DAX_KMEM_INTERLEAVE
    public :: MEMKIND_HIGHEST_CAPACITY, MEMKIND_HIGHEST_CAPACITY_PREFERRED
    public :: MEMKIND_HIGHEST_CAPACITY_LOCAL, MEMKIND_HIGHEST_CAPACITY_LOCAL_PREFERRED
    public :: MEMKIND_LOWEST_LATENCY_LOCAL, MEMKIND_LOWEST_LATENCY_LOCAL_PREFERRED
    public :: MEMKIND_HIGHEST_BANDWIDTH_LOCAL, MEMKIND_HIGHEST_BANDWIDTH_LOCAL_PREFERRED

    ! Values of stat, as in memkind.h; memkind_message() has a text for each.
    integer, parameter, public :: MEMKIND_SUCCESS = 0
    integer, parameter, public :: MEMKIND_ERROR_MALLOC = -6
    integer, parameter, public :: MEMKIND_ERROR_INVALID = -13

    public :: memkind_static, memkind_create_pmem, memkind_destroy
    public :: memkind_check, memkind_message, memkind_in_use
    public :: memkind_allocate, memkind_deallocate, memkind_detect
    public :: operator(==)

    interface operator(==)
        module procedure same_kind
    end interface

    interface
        integer(c_int) function c_static(partition, handle) bind(C, name="memkind_get_kind_by_partition")
            import :: c_int, c_ptr
            integer(c_int), value :: partition
            type(c_ptr), intent(out) :: handle
        end function c_static

        integer(c_int) function c_create_pmem(directory, limit, handle) bind(C, name="memkind_create_pmem")
            import :: c_char, c_int, c_ptr, c_size_t
            character(kind=c_char), intent(in) :: directory(*)
            integer(c_size_t), value :: limit
            type(c_ptr), intent(out) :: handle
        end function c_create_pmem

        integer(c_int) function c_destroy(handle) bind(C, name="memkind_destroy_kind")
            import :: c_int, c_ptr
            type(c_ptr), value :: handle
        end function c_destroy

        integer(c_int) function c_check(handle) bind(C, name="memkind_check_available")
            import :: c_int, c_ptr
            type(c_ptr), value :: handle
        end function c_check

        subroutine c_error_message(code, text, length) bind(C, name="memkind_error_message")
            import :: c_char, c_int, c_size_t
            integer(c_int), value :: code
            character(kind=c_char), intent(out) :: text(*)
            integer(c_size_t), value :: length
        end subroutine c_error_message

        integer(c_int) function c_update_stats() bind(C, name="memkind_update_cached_stats")
            import :: c_int
        end function c_update_stats

        integer(c_int) function c_get_stat(handle, which, value) bind(C, name="memkind_get_stat")
            import :: c_int, c_ptr, c_size_t
            type(c_ptr), value :: handle
            integer(c_int), value :: which
            integer(c_size_t), intent(out) :: value
        end function c_get_stat

        type(c_ptr) function c_malloc(handle, size) bind(C, name="memkind_malloc")
            import :: c_ptr, c_size_t
            type(c_ptr), value :: handle
            integer(c_size_t), value :: size
        end function c_malloc

        subroutine c_free(handle, block) bind(C, name="memkind_free")
            import :: c_ptr
            type(c_ptr), value :: handle, block
        end subroutine c_free

        type(c_ptr) function c_detect(block) bind(C, name="memkind_detect_kind")
            import :: c_ptr
            type(c_ptr), value :: block
        end function c_detect
    end interface

    integer(c_int), parameter :: STAT_ALLOCATED = 2 ! MEMKIND_STAT_TYPE_ALLOCATED
    integer, parameter :: MESSAGE_SIZE = 128        ! MEMKIND_ERROR_MESSAGE_SIZE
    integer, parameter :: BYTE_BITS = 8

    ! What arrays of no elements point to: they take nothing of a kind.
    integer(int8), target, save :: nothing(16)

#define RANK 1
#define COLONS :
#include "memkind_rank.inc"
#define RANK 2
#define COLONS :,:
#include "memkind_rank.inc"
#define RANK 3
#define COLONS :,:,:
#include "memkind_rank.inc"
#define RANK 4
#define COLONS :,:,:,:
#include "memkind_rank.inc"
#define RANK 5
#define COLONS :,:,:,:,:
#include "memkind_rank.inc"
#define RANK 6
#define COLONS :,:,:,:,:,:
#include "memkind_rank.inc"
#define RANK 7
#define COLONS :,:,:,:,:,:,:
#include "memkind_rank.inc"

contains

    !> A static kind, by its name above.
    type(memkind_t) function memkind_static(which) result(kind)
        integer, intent(in) :: which

        if (c_static(int(which, c_int), kind%handle) /= MEMKIND_SUCCESS) kind%handle = c_null_ptr
    end function memkind_static

    !> A new kind whose memory is a file in a directory, of no more than so many bytes; 0: no limit.
    subroutine memkind_create_pmem(directory, limit, kind, stat)
        character(*), intent(in) :: directory
        integer(int64), intent(in) :: limit
        type(memkind_t), intent(out) :: kind
        integer, intent(out), optional :: stat

        call finish('memkind_create_pmem', &
                    int(c_create_pmem(terminated(directory), int(limit, c_size_t), kind%handle)), stat)
    end subroutine memkind_create_pmem

    !> The end of a created kind and of all arrays in it.
    subroutine memkind_destroy(kind, stat)
        type(memkind_t), intent(inout) :: kind
        integer, intent(out), optional :: stat
        integer :: code

        code = int(c_destroy(kind%handle))
        if (code == MEMKIND_SUCCESS) kind%handle = c_null_ptr
        call finish('memkind_destroy', code, stat)
    end subroutine memkind_destroy

    !> MEMKIND_SUCCESS if the machine has such memory, else why not.
    integer function memkind_check(kind)
        type(memkind_t), intent(in) :: kind

        memkind_check = int(c_check(kind%handle))
    end function memkind_check

    !> The text of a value of stat.
    function memkind_message(code) result(text)
        integer, intent(in) :: code
        character(:), allocatable :: text
        character(kind=c_char) :: buffer(MESSAGE_SIZE)
        integer :: i

        call c_error_message(int(code, c_int), buffer, int(MESSAGE_SIZE, c_size_t))
        text = ''
        do i = 1, MESSAGE_SIZE
            if (buffer(i) == c_null_char) exit
            text = text // buffer(i)
        end do
    end function memkind_message

    !> Bytes that are allocated in a kind; -1: the kind cannot tell.
    integer(int64) function memkind_in_use(kind)
        type(memkind_t), intent(in) :: kind
        integer(c_size_t) :: bytes

        memkind_in_use = -1
        if (c_update_stats() /= MEMKIND_SUCCESS) return
        if (c_get_stat(kind%handle, STAT_ALLOCATED, bytes) == MEMKIND_SUCCESS) memkind_in_use = int(bytes, int64)
    end function memkind_in_use

    logical function same_kind(a, b)
        type(memkind_t), intent(in) :: a, b

        if (c_associated(a%handle)) then
            same_kind = c_associated(a%handle, b%handle)
        else
            same_kind = .not. c_associated(b%handle)
        end if
    end function same_kind

    function terminated(text) result(characters)
        character(*), intent(in) :: text
        character(kind=c_char) :: characters(len_trim(text) + 1)
        integer :: i

        do i = 1, len_trim(text)
            characters(i) = text(i:i)
        end do
        characters(len_trim(text) + 1) = c_null_char
    end function terminated

    ! As ALLOCATE does: who does not ask for stat is stopped.
    subroutine finish(name, code, stat)
        character(*), intent(in) :: name
        integer, intent(in) :: code
        integer, intent(out), optional :: stat

        if (present(stat)) then
            stat = code
        else if (code /= MEMKIND_SUCCESS) then
            write (error_unit, '(a)') name // ': ' // memkind_message(code)
            error stop 1
        end if
    end subroutine finish

    ! Negative extents are 0, as in ALLOCATE. The block is a null pointer if there is none.
    subroutine get_block(kind, bits, extents, block, code)
        type(memkind_t), intent(in) :: kind
        integer, intent(in) :: bits
        integer(int64), intent(in) :: extents(:)
        type(c_ptr), intent(out) :: block
        integer, intent(out) :: code
        integer(int64) :: bytes
        integer :: i

        block = c_null_ptr
        code = MEMKIND_ERROR_INVALID
        if (.not. c_associated(kind%handle)) return
        if (any(extents <= 0)) then
            block = c_loc(nothing)
            code = MEMKIND_SUCCESS
            return
        end if
        code = MEMKIND_ERROR_MALLOC
        bytes = bits / BYTE_BITS
        do i = 1, size(extents)
            if (extents(i) > huge(bytes) / bytes) return
            bytes = bytes * extents(i)
        end do
        block = c_malloc(kind%handle, int(bytes, c_size_t))
        if (c_associated(block)) code = MEMKIND_SUCCESS
    end subroutine get_block

    ! Where no kind has such a block, nothing is freed.
    integer function put_block(block)
        type(c_ptr), intent(in) :: block
        type(c_ptr) :: handle

        handle = c_detect(block)
        put_block = MEMKIND_ERROR_INVALID
        if (.not. c_associated(handle)) return
        call c_free(handle, block)
        put_block = MEMKIND_SUCCESS
    end function put_block

#define BODIES
#define RANK 1
#define COLONS :
#include "memkind_rank.inc"
#define RANK 2
#define COLONS :,:
#include "memkind_rank.inc"
#define RANK 3
#define COLONS :,:,:
#include "memkind_rank.inc"
#define RANK 4
#define COLONS :,:,:,:
#include "memkind_rank.inc"
#define RANK 5
#define COLONS :,:,:,:,:
#include "memkind_rank.inc"
#define RANK 6
#define COLONS :,:,:,:,:,:
#include "memkind_rank.inc"
#define RANK 7
#define COLONS :,:,:,:,:,:,:
#include "memkind_rank.inc"
end module memkind
