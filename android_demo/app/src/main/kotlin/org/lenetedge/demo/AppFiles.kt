package org.lenetedge.demo

import android.content.res.AssetManager
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.channels.FileChannel

/** The files packed with the app. */
interface AppFiles {
    /** Returns the content of the file [name] as a direct buffer, or null if it cannot be read. */
    fun content(name: String): ByteBuffer?
}

/** Files in the APK: memory-mapped, or read if they are compressed after all. */
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
