package org.lenetedge.demo

import android.content.res.AssetManager
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.channels.FileChannel

/** The files that the app brings. */
interface AppFiles {
    /** Returns the content of the file called [name], a direct buffer; null where it cannot be read. */
    fun content(name: String): ByteBuffer?
}

/** Files of the APK: memory-mapped, or read when they were compressed after all. */
class AssetFiles(private val assets: AssetManager) : AppFiles {
    override fun content(name: String): ByteBuffer? = try {
        mapped(name)
    } catch (_: IOException) { // compressed, or not there
        read(name)
    }

    private fun mapped(name: String): ByteBuffer = assets.openFd(name).use { file ->
        file.createInputStream().use { stream ->
            stream.channel.map(FileChannel.MapMode.READ_ONLY, file.startOffset, file.declaredLength)
        }
    }

    private fun read(name: String): ByteBuffer? = try {
        val bytes = assets.open(name).use { it.readBytes() }
        ByteBuffer.allocateDirect(bytes.size).apply { put(bytes).rewind() }
    } catch (_: IOException) {
        null
    }
}
