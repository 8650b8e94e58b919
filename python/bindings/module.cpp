// svdkit._core: the engine as Python sees it. One class per scalar; its static methods make operators, its methods
// multiply and factorise. Argument checks that a user should read live in the Python input layer, not here.
#include "bind.hpp"

namespace svdkit::bindings {
namespace {

template <class T>
void bind_scalar(nb::module_& m, const char* name) {
    HandleClass<T> cls(m, name, nb::type_slots(Handle<T>::slots),
                       "A matrix known by its products with blocks of vectors.");
    bind_operators<T>(cls);
    bind_compositions<T>(cls);
    bind_kronecker<T>(cls);
    bind_products<T>(cls);
    bind_scan<T>(cls);
    bind_tsvd<T>(cls);
    bind_randomized<T>(cls);
    bind_factor<T>(cls);
    bind_metric_lanczos<T>(cls);
    bind_pcp<T>(cls);
    bind_l1<T>(cls);
    bind_spatial_median<T>(cls);
    if constexpr (!is_complex<T>) bind_robust<T>(cls);
    bind_stack<T>(cls);
}

}  // namespace
}  // namespace svdkit::bindings

NB_MODULE(_core, m) {
    using namespace svdkit::bindings;
    m.doc() = "The compiled engine of svdkit (private).";
    bind_errors(m);
    bind_config(m);
    bind_random(m);
    bind_incremental(m);
    bind_scalar<float>(m, "OperatorF32");
    bind_scalar<double>(m, "OperatorF64");
    bind_scalar<std::complex<float>>(m, "OperatorC64");
    bind_scalar<std::complex<double>>(m, "OperatorC128");
    bind_completion(m);
}
