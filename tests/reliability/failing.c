/* Makes the N-th change of the file system fail, for one folder, in one process (LD_PRELOAD).
 *
 * Counted: writes, syncs, truncations, renames, removals, new folders, and opening a file that may be made - of what
 * lies under the folder that `fault_folder` names. The N-th of them, or with `onwards` every one from there, returns
 * the error and changes nothing. A write that is to fail with ENOSPC writes half of its bytes first, as disks do.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char folder[PATH_MAX];
static long count, at;
static int error_number, from_there_on;

void fault_folder(const char *path) { snprintf(folder, sizeof folder, "%s", path); }

void fault_arm(long nth, int error, int onwards) {
    pthread_mutex_lock(&lock);
    count = 0, at = nth, error_number = error, from_there_on = onwards;
    pthread_mutex_unlock(&lock);
}

long fault_count(void) { return count; }

static int hit(void) {
    int fails = 0;
    pthread_mutex_lock(&lock);
    count++;
    if (at && (count == at || (from_there_on && count > at))) fails = error_number;
    pthread_mutex_unlock(&lock);
    return fails;
}

static int path_fails(const char *path) {
    return folder[0] && strncmp(path, folder, strlen(folder)) == 0 ? hit() : 0;
}

static int handle_fails(int handle) {
    char name[64], path[PATH_MAX];
    if (!folder[0]) return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", handle);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return path_fails(path);
}

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

#define FAIL_IF(condition) \
    do { int failed_ = (condition); if (failed_) { errno = failed_; return -1; } } while (0)

#define WRITES(name, parameters, half, ...) \
    ssize_t name parameters { \
        REAL(ssize_t, #name, __VA_ARGS__); \
        int failed = handle_fails(handle); \
        if (failed == ENOSPC && size > 1) (void)!real half; \
        FAIL_IF(failed);

WRITES(write, (int handle, const void *data, size_t size), (handle, data, size / 2), int, const void *, size_t)
    return real(handle, data, size); }
WRITES(pwrite, (int handle, const void *data, size_t size, off_t where), (handle, data, size / 2, where),
       int, const void *, size_t, off_t)
    return real(handle, data, size, where); }
WRITES(pwrite64, (int handle, const void *data, size_t size, off64_t where), (handle, data, size / 2, where),
       int, const void *, size_t, off64_t)
    return real(handle, data, size, where); }

#define ON_HANDLE(name, parameters, call, ...) \
    int name parameters { REAL(int, #name, __VA_ARGS__); FAIL_IF(handle_fails(handle)); return real call; }

ON_HANDLE(fsync, (int handle), (handle), int)
ON_HANDLE(fdatasync, (int handle), (handle), int)
ON_HANDLE(ftruncate, (int handle, off_t size), (handle, size), int, off_t)
ON_HANDLE(ftruncate64, (int handle, off64_t size), (handle, size), int, off64_t)

#define ON_PATH(name, parameters, call, ...) \
    int name parameters { REAL(int, #name, __VA_ARGS__); FAIL_IF(path_fails(path)); return real call; }

ON_PATH(rename, (const char *path, const char *to), (path, to), const char *, const char *)
ON_PATH(unlink, (const char *path), (path), const char *)
ON_PATH(mkdir, (const char *path, mode_t mode), (path, mode), const char *, mode_t)

#define OPENS(name) \
    int name(const char *path, int flags, ...) { \
        REAL(int, #name, const char *, int, mode_t); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        if (flags & O_CREAT) FAIL_IF(path_fails(path)); \
        return real(path, flags, mode); \
    }

OPENS(open)
OPENS(open64)
