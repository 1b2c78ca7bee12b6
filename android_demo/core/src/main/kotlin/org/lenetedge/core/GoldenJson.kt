package org.lenetedge.core

import org.json.JSONArray
import org.json.JSONException
import org.json.JSONObject

/** Returns what [read] makes of the [text] of the golden file [name]; throws [IllegalArgumentException] for anything else. */
internal fun <T> parsed(name: String, text: String, read: (JSONObject) -> T): T = try {
    val root = JSONObject(text)
    require(root.getInt("format") == 1) { "expected $name of format 1, got ${root.get("format")}" }
    read(root)
} catch (error: JSONException) {
    throw IllegalArgumentException("expected $name, got another file: ${error.message}", error)
}

internal fun JSONObject.rows(key: String): List<FloatArray> {
    val rows = getJSONArray(key)
    return List(rows.length()) { rows.getJSONArray(it).floats() }
}

internal fun JSONArray.objects(): List<JSONObject> = List(length()) { getJSONObject(it) }

internal fun JSONArray.unsigned() = ByteArray(length()) { getInt(it).toByte() }

private fun JSONArray.floats() = FloatArray(length()) { getDouble(it).toFloat() }
