package org.lenetedge.demo

import android.content.ContentProvider
import android.content.ContentValues
import android.content.Context
import android.database.Cursor
import android.database.MatrixCursor
import android.net.Uri
import android.os.ParcelFileDescriptor
import android.provider.OpenableColumns
import java.io.File
import java.io.FileNotFoundException
import java.io.IOException

/** Lets the app that the user chose read one file, the results of the last check, and nothing else. */
class ResultsProvider : ContentProvider() {
    override fun onCreate(): Boolean = true

    override fun getType(uri: Uri): String? = if (uri == address) TYPE else null

    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor {
        if (uri != address || mode != "r") throw FileNotFoundException("expected to read $address, got $uri")
        return ParcelFileDescriptor.open(file(checkNotNull(context)), ParcelFileDescriptor.MODE_READ_ONLY)
    }

    /** Returns the file's name and size. */
    override fun query(
        uri: Uri,
        projection: Array<String>?,
        selection: String?,
        selectionArgs: Array<String>?,
        sortOrder: String?,
    ): Cursor? {
        if (uri != address) return null
        val facts = mapOf<String, Any>(
            OpenableColumns.DISPLAY_NAME to NAME,
            OpenableColumns.SIZE to file(checkNotNull(context)).length(),
        )
        val columns = projection ?: facts.keys.toTypedArray()
        return MatrixCursor(columns, 1).apply { addRow(columns.map { facts[it] }) }
    }

    override fun insert(uri: Uri, values: ContentValues?): Uri? = throw readOnly()

    override fun update(uri: Uri, values: ContentValues?, where: String?, whereArgs: Array<String>?): Int =
        throw readOnly()

    override fun delete(uri: Uri, where: String?, whereArgs: Array<String>?): Int = throw readOnly()

    private fun readOnly() = UnsupportedOperationException("expected reading, got a change")

    companion object {
        const val TYPE = "application/json"
        private const val NAME = "lenet5-results.json"

        /** The address of the results. */
        val address: Uri = Uri.parse("content://org.lenetedge.demo.results/$NAME")

        /** The file behind [address]. */
        fun file(context: Context) = File(context.cacheDir, NAME)

        /** Writes [report] to it, whole or not at all; if the disk is full, the report is shared as text alone. */
        fun keep(context: Context, report: String) {
            val whole = file(context)
            val part = File(whole.path + ".part")
            try {
                part.writeText(report)
                if (!part.renameTo(whole)) throw IOException("expected to rename $part")
            } catch (_: IOException) {
                whole.delete() // it would be an earlier check's
                part.delete()
            }
        }
    }
}
