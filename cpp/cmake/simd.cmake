# Files in src/kernel/simd are compiled once per instruction-set level; the dispatcher picks one at run time.
# Each object sees SVDKIT_LEVEL, which those files use as the name of a namespace. They must not instantiate anything
# outside that namespace: an inline function shared by two levels would be linked from any of them, also from the one
# the processor cannot run (tests/cpp/check_levels.py looks at the objects).
set(SVDKIT_LEVELS generic)
set(flags_generic "")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
  set(SVDKIT_LEVELS generic v3 v4)
  set(flags_generic -march=x86-64-v2)
  set(flags_v3 -march=x86-64-v3)
  set(flags_v4 -march=x86-64-v4 -mprefer-vector-width=512)
endif()

# Adds the objects of every level to a target. Fused multiply-add is allowed, reordering of sums (-ffast-math) is not.
function(svdkit_add_levels target)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/kernel/simd/*.cpp)
  if(NOT sources)
    return()
  endif()
  foreach(level IN LISTS SVDKIT_LEVELS)
    set(object svdkit_simd_${level})
    add_library(${object} OBJECT ${sources})
    target_include_directories(${object} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/include)
    target_compile_definitions(${object} PRIVATE SVDKIT_LEVEL=${level})
    target_compile_options(${object} PRIVATE ${flags_${level}} -ffp-contract=fast -fno-math-errno $<$<CONFIG:Release,RelWithDebInfo>:-O3>)
    target_link_libraries(${object} PRIVATE OpenMP::OpenMP_CXX)
    svdkit_warnings(${object})
    svdkit_sanitizers(${object})
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${object}>)
  endforeach()
  if(v4 IN_LIST SVDKIT_LEVELS)
    target_compile_definitions(${target} PRIVATE SVDKIT_X86_LEVELS=1)
  endif()
endfunction()
