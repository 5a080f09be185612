! SPDX-License-Identifier: BSD-2-Clause
! Copyright (C) 2026 the libmemkind developers.
!
! test_fortran: the module memkind: arrays of every type and rank in a kind of their own, and what is refused.
!
! usage: test_fortran DIRECTORY
module test_arrays
    use, intrinsic :: iso_fortran_env
    use memkind
    implicit none
    type(memkind_t) :: kind
    integer :: failures = 0

contains

    subroutine expect(is_so, what)
        logical, intent(in) :: is_so
        character(*), intent(in) :: what

        if (is_so) return
        failures = failures + 1
        write (error_unit, '(a)') 'FAILED: ' // what
    end subroutine expect

#define NAME i1
#define TYPE integer(int8)
#define VALUE 7_int8
#define EQUALS ==
#include "fortran_type.inc"
#define NAME i2
#define TYPE integer(int16)
#define VALUE 7_int16
#define EQUALS ==
#include "fortran_type.inc"
#define NAME i4
#define TYPE integer(int32)
#define VALUE 7_int32
#define EQUALS ==
#include "fortran_type.inc"
#define NAME i8
#define TYPE integer(int64)
#define VALUE 7_int64
#define EQUALS ==
#include "fortran_type.inc"
#define NAME r4
#define TYPE real(real32)
#define VALUE 0.5_real32
#define EQUALS ==
#include "fortran_type.inc"
#define NAME r8
#define TYPE real(real64)
#define VALUE 0.5_real64
#define EQUALS ==
#include "fortran_type.inc"
#define NAME c4
#define TYPE complex(real32)
#define VALUE (0.5_real32, 2.0_real32)
#define EQUALS ==
#include "fortran_type.inc"
#define NAME c8
#define TYPE complex(real64)
#define VALUE (0.5_real64, 2.0_real64)
#define EQUALS ==
#include "fortran_type.inc"
#define NAME l
#define TYPE logical
#define VALUE .true.
#define EQUALS .eqv.
#include "fortran_type.inc"

    subroutine refusals()
        real(real64), pointer :: array(:), part(:), cube(:, :, :)
        real(real64), target :: own(10)
        type(memkind_t) :: none
        integer :: code

        call memkind_allocate(none, array, [10], code)
        call expect(code == MEMKIND_ERROR_INVALID .and. .not. associated(array), "no kind")
        call memkind_allocate(kind, array, [huge(0_int64)], code)
        call expect(code == MEMKIND_ERROR_MALLOC .and. .not. associated(array), "more bytes than can be counted")
        call memkind_allocate(kind, cube, [3000000000_int64, 3000000000_int64, 3000000000_int64], code)
        call expect(code == MEMKIND_ERROR_MALLOC, "more elements than can be counted")
        call memkind_allocate(kind, array, [2_int64**40], code)
        call expect(code == MEMKIND_ERROR_MALLOC, "more than the file may have")
        array => own
        call memkind_deallocate(array, code)
        call expect(code == MEMKIND_ERROR_INVALID .and. associated(array, own), "no array of a kind")
        call expect(.not. (memkind_detect(array) == kind), "is in no kind")
        call memkind_allocate(kind, array, [100])
        part => array(1:99:2)
        call memkind_deallocate(part, code)
        call expect(code == MEMKIND_ERROR_INVALID, "every second element of an array")
        call memkind_deallocate(array)
        call memkind_allocate(kind, cube, [4, -1, 4])
        call expect(all(shape(cube) == [4, 0, 4]), "an array of no elements")
        call memkind_deallocate(cube, code)
        call expect(code == MEMKIND_SUCCESS .and. .not. associated(cube), "goes, too")
    end subroutine refusals
end module test_arrays

program test_fortran
    use test_arrays
    implicit none
    type(memkind_t) :: other
    character(1000) :: directory
    integer :: code

    call get_command_argument(1, directory)
    call expect(memkind_static(MEMKIND_DEFAULT) == memkind_static(MEMKIND_DEFAULT), "a kind is itself")
    call expect(.not. (memkind_static(MEMKIND_DEFAULT) == memkind_static(MEMKIND_HBW)), "and no other")
    call expect(.not. (memkind_static(MEMKIND_DEFAULT) == memkind_static(1000)), "nor one that is not there")
    call expect(memkind_check(memkind_static(MEMKIND_REGULAR)) == MEMKIND_SUCCESS, "ordinary memory is here")
    call memkind_create_pmem('/no/such/directory', 0_int64, other, code)
    call expect(code /= MEMKIND_SUCCESS, "there is no such directory")
    call expect(len(memkind_message(code)) > 10, "every code has a text")
    call memkind_create_pmem(directory, 64_int64 * 1024 * 1024, kind)
    call each_i1()
    call each_i2()
    call each_i4()
    call each_i8()
    call each_r4()
    call each_r8()
    call each_c4()
    call each_c8()
    call each_l()
    call refusals()
    call memkind_destroy(kind)
    call memkind_destroy(kind, code)
    call expect(code == MEMKIND_ERROR_INVALID, "no kind is destroyed twice")
    if (failures > 0) error stop 1
    print '(a)', 'ok: arrays of 9 types and 7 ranks'
end program test_fortran
