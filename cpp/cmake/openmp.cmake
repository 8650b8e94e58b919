# OpenMP runs every parallel loop of ours; BLAS keeps its own threads (see base/threads.hpp).
find_package(OpenMP REQUIRED COMPONENTS CXX)
