// What each file of the module adds to it.
#pragma once

#include "handle.hpp"

namespace svdkit::bindings {

void bind_errors(nb::module_& m);
void bind_config(nb::module_& m);
void bind_random(nb::module_& m);
void bind_completion(nb::module_& m);
void bind_incremental(nb::module_& m);

template <class T>
void bind_operators(HandleClass<T>& cls);
template <class T>
void bind_compositions(HandleClass<T>& cls);
template <class T>
void bind_kronecker(HandleClass<T>& cls);
template <class T>
void bind_products(HandleClass<T>& cls);
template <class T>
void bind_scan(HandleClass<T>& cls);
template <class T>
void bind_tsvd(HandleClass<T>& cls);
template <class T>
void bind_randomized(HandleClass<T>& cls);
template <class T>
void bind_factor(HandleClass<T>& cls);
template <class T>
void bind_metric_lanczos(HandleClass<T>& cls);
template <class T>
void bind_pcp(HandleClass<T>& cls);
template <class T>
void bind_l1(HandleClass<T>& cls);
template <class T>
void bind_spatial_median(HandleClass<T>& cls);
template <class T>
void bind_robust(HandleClass<T>& cls);
template <class T>
void bind_stack(HandleClass<T>& cls);

}  // namespace svdkit::bindings
