package org.lenetedge.demo

import android.app.Activity
import android.util.TypedValue
import android.view.View

/** Returns a view that every variant of the layout has. */
fun <T : View> Activity.view(id: Int): T =
    checkNotNull(findViewById<T>(id)) { "expected the view $id in the layout" }

/** Returns [sp] of text, which follows the user's font size, in pixels. */
fun View.scaled(sp: Float): Float =
    TypedValue.applyDimension(TypedValue.COMPLEX_UNIT_SP, sp, resources.displayMetrics)
