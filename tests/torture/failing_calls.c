/* Fails one system call, to be loaded with LD_PRELOAD: after arm("write", 3, ENOSPC), the third write to a file fails.
 * Calls are counted from arm on; calls_seen() says how many there were. Standard streams and pipes are left alone. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *failing = "";
static long left, seen;
static int reason;

void arm(const char *call, long number, int error) { failing = strdup(call), left = number, reason = error, seen = 0; }
long calls_seen(void) { return seen; }

static int fails(const char *call) {
    if (strcmp(call, failing)) return 0;
    seen++;
    if (--left) return 0;
    errno = reason;
    return 1;
}

static int is_file(int fd) {
    struct stat about;
    return fd > 2 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *from, size_t size) {
    REAL(write);
    if (is_file(fd) && fails("write")) return -1;
    if (size > 1 && is_file(fd) && fails("short write")) return real(fd, from, size / 2);
    return real(fd, from, size);
}
ssize_t writev(int fd, const struct iovec *from, int count) {
    REAL(writev);
    return is_file(fd) && fails("write") ? -1 : real(fd, from, count);
}
ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at) {
    REAL(pwrite64);
    return is_file(fd) && fails("write") ? -1 : real(fd, from, size, at);
}
int fsync(int fd) {
    REAL(fsync);
    return fails("fsync") ? -1 : real(fd);
}
int close(int fd) {
    REAL(close);
    int written = is_file(fd) && (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY; /* where data may still be lost */
    if (!written || !fails("close")) return real(fd);
    real(fd);
    errno = reason;
    return -1;
}
int rename(const char *from, const char *to) {
    REAL(rename);
    return fails("rename") ? -1 : real(from, to);
}
int renameat(int a, const char *from, int b, const char *to) {
    REAL(renameat);
    return fails("rename") ? -1 : real(a, from, b, to);
}
int unlink(const char *path) {
    REAL(unlink);
    return fails("unlink") ? -1 : real(path);
}
int chmod(const char *path, mode_t mode) {
    REAL(chmod);
    return fails("chmod") ? -1 : real(path, mode);
}
int ftruncate64(int fd, off64_t size) {
    REAL(ftruncate64);
    return fails("ftruncate") ? -1 : real(fd, size);
}
int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    return fails("mkdir") ? -1 : real(path, mode);
}

static int with_mode(int flags) { return flags & (O_CREAT | O_TMPFILE); }

#define OPENING(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = with_mode(flags) ? va_arg(more, mode_t) : 0; \
        va_end(more); \
        return (flags & O_ACCMODE) != O_RDONLY && fails("open") ? -1 : real(path, flags, mode); \
    }
OPENING(open)
OPENING(open64)
