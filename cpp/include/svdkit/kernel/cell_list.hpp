// Cells of a matrix as a list: entries and weights by rows, as in a CSR matrix. Never owned.
#pragma once

#include "svdkit/base/types.hpp"

namespace svdkit {

/// Multipliers of the entries and of the weights as they are stored: they bring both near one.
struct CellUnits {
    double value = 1;
    double weight = 1;
};

/// Cells listed by rows, as in a CSR matrix: no duplicates.
template <class T>
struct CellList {
    const std::int64_t* pointers = nullptr;  ///< m + 1
    const std::int32_t* columns = nullptr;
    const T* values = nullptr;
    const T* weights = nullptr;  ///< null: all one
    index_t rows = 0;
    index_t cols = 0;
    CellUnits units = {};

    index_t count() const { return rows ? pointers[rows] : 0; }
};

}  // namespace svdkit
