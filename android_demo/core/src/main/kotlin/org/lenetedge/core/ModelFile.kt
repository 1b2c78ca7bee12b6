package org.lenetedge.core

import java.nio.ByteBuffer
import java.security.MessageDigest

/**
 * Returns [content] if it is the file that golden.json names for [model]; native code must not see any other.
 * Null stands for a missing file. Throws [BadModel].
 */
fun checked(model: Model, content: ByteBuffer?, golden: Golden): ByteBuffer {
    if (content == null) throw BadModel(model, BadModel.Fault.MISSING)
    val promised = golden.of(model)
    if (content.capacity() < promised.bytes) throw BadModel(model, BadModel.Fault.TRUNCATED)
    if (sha256(content) != promised.sha256) throw BadModel(model, BadModel.Fault.ANOTHER)
    return content
}

/** Returns the sha256 of all of [content], in hexadecimal digits. */
fun sha256(content: ByteBuffer): String {
    val view = content.duplicate().apply { clear() }
    val digest = MessageDigest.getInstance("SHA-256").apply { update(view) }.digest()
    return digest.joinToString("") { "%02x".format(it) }
}
