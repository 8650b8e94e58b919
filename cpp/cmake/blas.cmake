# All BLAS/LAPACK policy of the project is here. Defines the target svdkit::blas and these variables:
#   SVDKIT_BLAS_PREFIX   what stands before every symbol (scipy_dgemm_); empty for a system BLAS. LP64 in both cases.
#   SVDKIT_BLAS_FILE     the shared library to install beside ours; empty for a system BLAS
#   SVDKIT_BLAS_LICENSE  its licence text, installed with it
set(SVDKIT_BLAS_FILE "")
set(SVDKIT_BLAS_LICENSE "")

if(SVDKIT_BLAS STREQUAL "openblas32")
  find_package(Python 3.11 REQUIRED COMPONENTS Interpreter)
  execute_process(
    COMMAND ${Python_EXECUTABLE} -c "import importlib.metadata as m, scipy_openblas32 as b; \
print(b.get_lib_dir() + '/' + b.get_library(fullname=True)); \
print(*[f.locate() for f in m.files('scipy_openblas32') if f.name == 'LICENSE.txt'][:1])"
    RESULT_VARIABLE failed OUTPUT_VARIABLE found ERROR_VARIABLE message OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(failed)
    message(FATAL_ERROR "scipy-openblas32 cannot be imported by ${Python_EXECUTABLE}.\n"
      "Install it (pip install scipy-openblas32), choose another interpreter with -DPython_EXECUTABLE=..., "
      "or use a system BLAS with -DSVDKIT_BLAS=system.\n${message}")
  endif()
  string(REPLACE "\n" ";" found "${found}")
  list(POP_FRONT found SVDKIT_BLAS_FILE SVDKIT_BLAS_LICENSE)

  set(SVDKIT_BLAS_PREFIX scipy_)
  add_library(svdkit::blas SHARED IMPORTED)
  set_target_properties(svdkit::blas PROPERTIES IMPORTED_LOCATION ${SVDKIT_BLAS_FILE})
elseif(SVDKIT_BLAS STREQUAL "system")
  find_package(BLAS REQUIRED)
  find_package(LAPACK REQUIRED)
  set(SVDKIT_BLAS_PREFIX "")
  add_library(svdkit::blas INTERFACE IMPORTED)
  target_link_libraries(svdkit::blas INTERFACE LAPACK::LAPACK BLAS::BLAS)
else()
  message(FATAL_ERROR "SVDKIT_BLAS is '${SVDKIT_BLAS}', but must be openblas32 or system")
endif()
get_filename_component(SVDKIT_BLAS_NAME "${SVDKIT_BLAS_FILE}" NAME)
message(STATUS "svdkit: BLAS ${SVDKIT_BLAS} ${SVDKIT_BLAS_FILE}")
