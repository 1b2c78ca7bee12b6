package org.lenetedge.core

import java.nio.ByteBuffer
import java.security.MessageDigest

/** A model's file that cannot be used; [fault] says why. */
class BadModel(val file: String, val fault: Fault) : Exception("$file: $fault") {
    enum class Fault { MISSING, TRUNCATED, ANOTHER }
}

/**
 * Returns [content] if it is the file that [model] names; native code must not see any other. Null stands for a
 * missing file. Throws [BadModel].
 */
fun checked(model: GoldenModel, content: ByteBuffer?): ByteBuffer {
    if (content == null) throw BadModel(model.file, BadModel.Fault.MISSING)
    if (content.capacity() < model.bytes) throw BadModel(model.file, BadModel.Fault.TRUNCATED)
    if (sha256(content) != model.sha256) throw BadModel(model.file, BadModel.Fault.ANOTHER)
    return content
}

/** Returns the sha256 of all of [content], in hexadecimal digits. */
fun sha256(content: ByteBuffer): String {
    val view = content.duplicate().apply { clear() }
    val digest = MessageDigest.getInstance("SHA-256").apply { update(view) }.digest()
    return digest.joinToString("") { "%02x".format(it) }
}
