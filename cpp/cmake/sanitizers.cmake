# -DSVDKIT_SANITIZE=address,undefined instruments the core and its tests (not the Python module: a sanitizer runtime
# cannot be loaded into an interpreter that was built without it).
function(svdkit_sanitizers target)
  if(SVDKIT_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${SVDKIT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=${SVDKIT_SANITIZE})
  endif()
endfunction()
