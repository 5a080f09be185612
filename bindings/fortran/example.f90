! SPDX-License-Identifier: BSD-2-Clause
! Copyright (C) 2026 the libmemkind developers.
!
! example: a matrix in high-bandwidth memory, or in ordinary memory where there is none.
program example
    use, intrinsic :: iso_fortran_env, only: int64, real64
    use memkind
    implicit none
    type(memkind_t) :: kind
    real(real64), pointer :: matrix(:, :)
    integer :: code

    kind = memkind_static(MEMKIND_HBW)
    code = memkind_check(kind)
    if (code /= MEMKIND_SUCCESS) then
        print '(a)', 'no high-bandwidth memory here: ' // memkind_message(code)
        kind = memkind_static(MEMKIND_DEFAULT)
    end if
    call memkind_allocate(kind, matrix, [1000, 500])
    matrix = 0.5_real64
    print '(a, f0.1)', 'sum: ', sum(matrix)
    print '(a, l1)', 'in the kind: ', memkind_detect(matrix) == kind
    call memkind_deallocate(matrix)
end program example
