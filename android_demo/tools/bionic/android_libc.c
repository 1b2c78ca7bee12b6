// A stand-in for Android's C library (bionic), on glibc: enough to load the x86_64 libraries of TensorFlow Lite's
// AARs into a JVM on Linux. Tests only; nothing of it is in the APK.
//
// build.sh gives the libraries every function that they ask for. One for which there is a bionic_NAME here comes
// here, since the two C libraries differ; for all others both agree on x86_64 and the call goes to glibc's.
// They agree on the layout of struct stat, of locks, conditions and attributes of threads, on the flags of open,
// mmap and dlopen, on error numbers, on the masks of locales, and on where the stack's guard value is.
//
// dlopen, dlsym and dlclose must go straight to glibc's: these look at their return address, and
// dlsym(RTLD_DEFAULT, ...) of a function in between would search this library and not the caller.
#define _GNU_SOURCE
#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---- what glibc does not have ----

// errno is a macro over this in bionic, over __errno_location in glibc.
int *bionic___errno(void) { return &errno; }

// _FORTIFY_SOURCE's strlen; glibc has the other __..._chk functions, with the same arguments.
size_t bionic___strlen_chk(const char *text, size_t size) {
  size_t length = strlen(text);
  if (length >= size) abort();
  return length;
}

// Android's settings. TensorFlow Lite 2.16 looks for its own XNNPACK only if the API level is known and is at
// least 20; without an answer setUseXNNPACK(true) silently does nothing. 35 is the app's target. Anything else
// (the device's maker, its GPU's names) is not set, as it can be on a device.
int bionic___system_property_get(const char *name, char *value) {
  strcpy(value, strcmp(name, "ro.build.version.sdk") == 0 ? "35" : "");
  return (int)strlen(value);
}

// What Android's crash report would show.
void bionic_android_set_abort_message(const char *message) { fprintf(stderr, "abort: %s\n", message); }

// liblog: warnings and errors only, to stderr; 5 is ANDROID_LOG_WARN.
int bionic___android_log_vprint(int priority, const char *tag, const char *format, va_list arguments) {
  char line[1024];
  if (priority < 5) return 0;
  vsnprintf(line, sizeof line, format, arguments);
  return fprintf(stderr, "%s: %s\n", tag, line);
}

// ---- the same name, other arguments or results ----

// bionic's strerror_r is POSIX's; glibc's under _GNU_SOURCE returns the text.
extern int __xpg_strerror_r(int, char *, size_t);
int bionic_strerror_r(int error, char *text, size_t size) { return __xpg_strerror_r(error, text, size); }

// The numbers of the settings differ: these are bionic's, from its <bits/sysconf.h>.
long bionic_sysconf(int name) {
  switch (name) {
    case 0x27: // _SC_PAGESIZE
    case 0x28: return sysconf(_SC_PAGESIZE); // _SC_PAGE_SIZE
    case 0x60: return sysconf(_SC_NPROCESSORS_CONF);
    case 0x61: return sysconf(_SC_NPROCESSORS_ONLN);
    case 0x62: return sysconf(_SC_PHYS_PAGES);
    case 0x63: return sysconf(_SC_AVPHYS_PAGES);
  }
  errno = EINVAL;
  return -1;
}

// A set of signals is the kernel's 64 bits in bionic and 1,024 bits in glibc, which would write past the caller's.
typedef unsigned long android_sigset;

int bionic_sigfillset(android_sigset *set) {
  *set = ~0ul;
  return 0;
}

int bionic_pthread_sigmask(int how, const android_sigset *set, android_sigset *before) {
  sigset_t wide, old;
  sigemptyset(&wide);
  if (set) memcpy(&wide, set, sizeof *set);
  int error = pthread_sigmask(how, set ? &wide : NULL, &old);
  if (before) memcpy(before, &old, sizeof *before);
  return error;
}

// Android's long double on x86_64 is IEEE's 128 bits, in a different register from Linux's 80 bits.
_Float128 bionic_strtold_l(const char *text, char **end, locale_t locale) { return strtof128_l(text, end, locale); }

// ---- FILE ----
// bionic's stdin, stdout and stderr are &__sF[0], [1] and [2], each of 152 bytes. Any other FILE came from glibc's
// fopen, and nobody looks inside one. So only functions that may get one of the three need to be here.

char bionic___sF[3 * 152];

static FILE *real(void *file) {
  if (file == bionic___sF) return stdin;
  if (file == bionic___sF + 152) return stdout;
  if (file == bionic___sF + 304) return stderr;
  return file;
}

int bionic_vfprintf(void *file, const char *format, va_list arguments) { return vfprintf(real(file), format, arguments); }

int bionic_fprintf(void *file, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int written = vfprintf(real(file), format, arguments);
  va_end(arguments);
  return written;
}

int bionic_fputc(int character, void *file) { return fputc(character, real(file)); }
int bionic_fflush(void *file) { return fflush(file ? real(file) : NULL); }
int bionic_fileno(void *file) { return fileno(real(file)); }
size_t bionic_fwrite(const void *from, size_t size, size_t count, void *file) { return fwrite(from, size, count, real(file)); }
