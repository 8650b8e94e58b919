# Warnings for our own code only: nothing of this reaches a consumer.
function(svdkit_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual)
  if(SVDKIT_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
