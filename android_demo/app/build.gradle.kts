import groovy.json.JsonSlurper
import org.jetbrains.kotlin.gradle.dsl.JvmTarget
import java.security.MessageDigest

plugins {
    alias(libs.plugins.android.application)
    alias(libs.plugins.kotlin.android)
}

android {
    namespace = "org.lenetedge.demo"
    compileSdk = 35

    defaultConfig {
        applicationId = "org.lenetedge.demo"
        minSdk = 26
        targetSdk = 35
        versionCode = 1
        versionName = libs.versions.app.get()
    }

    buildTypes {
        release {
            isMinifyEnabled = true
            isShrinkResources = true
            proguardFiles(getDefaultProguardFile("proguard-android-optimize.txt"), "proguard-rules.pro")
        }
    }

    // One APK for each processor, and one for all of them.
    splits {
        abi {
            isEnable = true
            reset()
            include("arm64-v8a", "armeabi-v7a", "x86_64")
            isUniversalApk = true
        }
    }

    androidResources {
        noCompress += "tflite" // A compressed file can't be memory-mapped.
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }

    testOptions {
        unitTests {
            isIncludeAndroidResources = true
            all {
                it.jvmArgs("--add-opens=java.base/java.io=ALL-UNNAMED") // Robolectric closes file descriptors
                // They load the Android library on this machine's JVM, which only Maven prepares.
                it.exclude("org/lenetedge/demo/onjvm/**")
                it.systemProperty("golden", rootDir.resolve("../lenet_edge/golden/golden.json").path)
                it.systemProperty("released", rootDir.resolve("../lenet_edge/released").path)
                it.systemProperty("screens", rootDir.resolve("build/screens").path)
            }
        }
    }
}

kotlin {
    compilerOptions {
        jvmTarget = JvmTarget.JVM_1_8
        freeCompilerArgs.add("-Xnullability-annotations=@android.annotation:warn")
    }
}

dependencies {
    implementation(project(":core"))
    implementation(libs.litert)
    implementation(libs.litert.api)
    implementation(libs.litert.gpu)
    implementation(libs.litert.gpu.api)
    testImplementation(libs.junit)
    testImplementation(libs.robolectric)
}

/** Copies the models and golden.json; stops the build if a model's sha256 is not the one in golden.json. */
abstract class CopyModels : DefaultTask() {
    @get:InputFiles
    abstract val models: ConfigurableFileCollection

    @get:InputFile
    abstract val golden: RegularFileProperty

    @get:OutputDirectory
    abstract val assets: DirectoryProperty

    @TaskAction
    fun copy() {
        val folder = assets.get().asFile
        folder.deleteRecursively()
        golden.get().asFile.copyTo(folder.resolve("golden.json"))
        val files = (JsonSlurper().parse(golden.get().asFile) as Map<*, *>)["files"] as Map<*, *>
        for (model in models) {
            val expected = (files[model.name] as Map<*, *>?)?.get("sha256")
            val got = MessageDigest.getInstance("SHA-256").digest(model.readBytes()).joinToString("") {
                "%02x".format(it)
            }
            if (got != expected) throw GradleException("expected ${model.name} of sha256 $expected, got $got")
            model.copyTo(folder.resolve(model.name))
        }
    }
}

val copyModels = tasks.register<CopyModels>("copyModels") {
    for (kind in listOf("float32", "float16", "int8", "int8_qat")) {
        models.from(rootDir.resolve("../lenet_edge/released/lenet5_$kind.tflite"))
    }
    golden.set(rootDir.resolve("../lenet_edge/golden/golden.json"))
}

androidComponents {
    onVariants { variant ->
        variant.sources.assets?.addGeneratedSourceDirectory(copyModels, CopyModels::assets)
    }
}
