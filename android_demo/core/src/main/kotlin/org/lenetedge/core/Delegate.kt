package org.lenetedge.core

/**
 * What may run a model's nodes. [asked] is what reports call it when it is chosen, [title] when it runs
 * ("" for the interpreter's own kernels).
 */
enum class Delegate(val asked: String, val title: String) {
    NONE("none", ""),
    XNNPACK("xnnpack", "XNNPACK"),
    GPU("gpu", "GPU"),
    NNAPI("nnapi", "NNAPI"),
}
