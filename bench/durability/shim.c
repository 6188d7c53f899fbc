/* Stands between a process and libc, and sees every call that changes files below one folder.
 *
 * It writes the calls, with their data, to a log; kills the process before, in the middle of or after the n-th call of a
 * kind on the files of a pattern; or lets that one fail, or all from then on. Loaded with LD_PRELOAD it does nothing until `shim_arm` is called.
 *
 * Paths of descriptors come from /proc/self/fd, so that duplicates and renamed folders need no book-keeping. Memory maps
 * are not seen: SQLite maps its -shm file alone, which is rebuilt by the first process that opens the database.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { /* as shim.py names them */
    CREATE = 1, EMPTY, WRITE, RESIZE, SYNC, RENAME, UNLINK, MKDIR, RMDIR, FAILED, MARK
};
enum mode { /* as shim.py has them */
    WATCH, KILL_BEFORE, KILL_WITHIN, KILL_AFTER, FAIL_ONCE, FAIL_ON
};

struct entry { /* one of the log; its path, second path and data follow */
    uint32_t kind, path, other, pad;
    uint64_t inode;
    int64_t offset;
    uint64_t size;
};

static char root[PATH_MAX];
static char pattern[PATH_MAX];
static int armed, log_file = -1, mode, code, kind_due, now, since;
static long left;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) abort();
    return found;
}

void shim_arm(const char *folder, const char *log, int how, int kind, const char *files, long number, int error) {
    strncpy(root, folder, sizeof root - 1);
    log_file = *log ? REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    strncpy(pattern, files, sizeof pattern - 1);
    mode = how, kind_due = kind, left = number, code = error, armed = 1;
}

static int inside(const char *path) {
    size_t length = strlen(root);
    return armed && !strncmp(path, root, length) && (path[length] == '/' || !path[length]);
}

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return inside(path);
}

static int absolute(int folder, const char *name, char *path) {
    char base[PATH_MAX] = "";
    if (!armed || !name) return 0;
    if (*name == '/') return snprintf(path, PATH_MAX, "%s", name), inside(path);
    if (folder != AT_FDCWD) path_of(folder, base);
    else if (!getcwd(base, sizeof base)) return 0;
    snprintf(path, 2 * PATH_MAX, "%s/%s", base, name);
    return inside(path);
}

static uint64_t inode_of(int fd) {
    struct stat found;
    return fstat(fd, &found) ? 0 : found.st_ino;
}

static void note(int kind, const char *path, const char *other, uint64_t inode, int64_t offset, uint64_t size,
                 const void *data) {
    if (log_file < 0) return;
    struct entry entry = {kind, strlen(path), strlen(other), 0, inode, offset, size};
    struct iovec parts[] = {{&entry, sizeof entry}, {(void *)path, entry.path}, {(void *)other, entry.other},
                            {(void *)data, data ? size : 0}};
    if (syscall(SYS_writev, log_file, parts, 4) < 0) abort();
}

void shim_mark(const char *text) {
    pthread_mutex_lock(&lock);
    note(MARK, text, "", 0, 0, 0, NULL);
    pthread_mutex_unlock(&lock);
}

/* SIGKILL, sent by the kernel once this process has computed for so long. */
void shim_kill_after(double seconds) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    struct itimerspec due = {.it_value = {(time_t)seconds, (long)((seconds - (time_t)seconds) * 1e9) + 1}};
    timer_t timer;
    if (timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer) || timer_settime(timer, 0, &due, NULL)) abort();
}

/* Before a call: 0 to make it, 1 to make half of it and end there, -1 to let it fail with errno set.
 * `now`: it is the one that is waited for; `since`: it was, or an earlier one. */
static int enter(int kind, const char *path) {
    pthread_mutex_lock(&lock);
    now = mode && !since && kind == kind_due && !fnmatch(pattern, path, FNM_PATHNAME) && !--left;
    since |= now;
    if (now && mode == KILL_BEFORE) kill(getpid(), SIGKILL);
    if (now && mode == KILL_WITHIN) return 1;
    if (now && mode == FAIL_ON && kind == WRITE && code == ENOSPC) return 1;
    if ((now && mode >= FAIL_ONCE) || (since && mode == FAIL_ON)) {
        if (code == ENOSPC && (kind == UNLINK || kind == RMDIR || kind == EMPTY)) return 0;
        note(FAILED, path, "", 0, kind, 0, NULL);
        errno = code;
        return pthread_mutex_unlock(&lock), -1;
    }
    return 0;
}

static void leave(void) {
    int before = errno;
    if (now && (mode == KILL_AFTER || mode == KILL_WITHIN)) kill(getpid(), SIGKILL);
    pthread_mutex_unlock(&lock);
    errno = before;
}

/* open */

static int opened(int folder, const char *name, int flags, mode_t permissions) {
    char path[2 * PATH_MAX];
    struct stat found;
    __typeof__(&openat) call = REAL(openat);
    if (!(flags & (O_CREAT | O_TRUNC)) || (flags & O_TMPFILE) == O_TMPFILE || !absolute(folder, name, path))
        return call(folder, name, flags, permissions);
    int there = !stat(path, &found);
    if (there && !(flags & O_TRUNC && found.st_size)) return call(folder, name, flags, permissions);
    int kind = there ? EMPTY : CREATE;
    if (enter(kind, path) < 0) return -1;
    int fd = call(folder, name, flags, permissions);
    if (fd >= 0) note(kind, path, "", inode_of(fd), 0, 0, NULL);
    leave();
    return fd;
}

#define PERMISSIONS(last)                                                                                              \
    mode_t permissions = 0;                                                                                            \
    if (flags & (O_CREAT | O_TMPFILE)) {                                                                               \
        va_list rest;                                                                                                  \
        va_start(rest, last);                                                                                          \
        permissions = va_arg(rest, mode_t);                                                                            \
        va_end(rest);                                                                                                  \
    }
int open(const char *name, int flags, ...) { PERMISSIONS(flags) return opened(AT_FDCWD, name, flags, permissions); }
int open64(const char *name, int flags, ...) { PERMISSIONS(flags) return opened(AT_FDCWD, name, flags, permissions); }
int openat(int folder, const char *name, int flags, ...) {
    PERMISSIONS(flags) return opened(folder, name, flags, permissions);
}
int openat64(int folder, const char *name, int flags, ...) {
    PERMISSIONS(flags) return opened(folder, name, flags, permissions);
}
int creat(const char *name, mode_t permissions) {
    return opened(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, permissions);
}

/* write */

static ssize_t written(int fd, const void *data, size_t size, off_t offset, int positioned) {
    char path[PATH_MAX];
    if (!armed || !path_of(fd, path))
        return positioned ? REAL(pwrite)(fd, data, size, offset) : REAL(write)(fd, data, size);
    int part = enter(WRITE, path);
    if (part < 0) return -1;
    if (part) size = (size + 1) / 2;
    if (!positioned) {
        struct stat found;
        offset = lseek(fd, 0, SEEK_CUR);
        if (fcntl(fd, F_GETFL) & O_APPEND && !fstat(fd, &found)) offset = found.st_size;
    }
    ssize_t done = positioned ? REAL(pwrite)(fd, data, size, offset) : REAL(write)(fd, data, size);
    if (done > 0) note(WRITE, path, "", inode_of(fd), offset, done, data);
    leave();
    return done;
}

ssize_t write(int fd, const void *data, size_t size) { return written(fd, data, size, 0, 0); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) { return written(fd, data, size, offset, 1); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) { return written(fd, data, size, offset, 1); }

ssize_t writev(int fd, const struct iovec *parts, int n) {
    char path[PATH_MAX];
    if (!armed || !path_of(fd, path)) return REAL(writev)(fd, parts, n);
    ssize_t all = 0;
    for (int i = 0; i < n; i++) {
        ssize_t done = written(fd, parts[i].iov_base, parts[i].iov_len, 0, 0);
        if (done < 0) return all ? all : -1;
        all += done;
        if ((size_t)done < parts[i].iov_len) break;
    }
    return all;
}

static ssize_t sent(int out, int in, off_t *offset, size_t size) {
    char path[PATH_MAX], block[1 << 16];
    if (!armed || !path_of(out, path)) return REAL(sendfile)(out, in, offset, size);
    if (size > sizeof block) size = sizeof block;
    ssize_t got = offset ? pread(in, block, size, *offset) : read(in, block, size);
    if (got <= 0) return got;
    ssize_t done = written(out, block, got, 0, 0);
    if (done < 0 && !offset) lseek(in, -got, SEEK_CUR);
    if (done >= 0 && offset) *offset += done;
    if (done >= 0 && !offset) lseek(in, done - got, SEEK_CUR);
    return done;
}
ssize_t sendfile(int out, int in, off_t *offset, size_t size) { return sent(out, in, offset, size); }
ssize_t sendfile64(int out, int in, off64_t *offset, size_t size) { return sent(out, in, offset, size); }

ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t size, unsigned flags) {
    char path[PATH_MAX];
    if (!armed || !path_of(out, path)) return REAL(copy_file_range)(in, from, out, to, size, flags);
    errno = EXDEV; /* its callers fall back to one of the calls above */
    return -1;
}

/* the rest, on descriptors and on paths */

static int resized(int fd, off_t size) {
    char path[PATH_MAX];
    if (!armed || !path_of(fd, path)) return REAL(ftruncate)(fd, size);
    int kind = size ? RESIZE : EMPTY;
    if (enter(kind, path) < 0) return -1;
    int failed = REAL(ftruncate)(fd, size);
    if (!failed) note(kind, path, "", inode_of(fd), size, 0, NULL);
    leave();
    return failed;
}
int ftruncate(int fd, off_t size) { return resized(fd, size); }
int ftruncate64(int fd, off64_t size) { return resized(fd, size); }

static int synced(int fd, int data_only) {
    char path[PATH_MAX];
    if (!armed || !path_of(fd, path)) return data_only ? REAL(fdatasync)(fd) : REAL(fsync)(fd);
    if (enter(SYNC, path) < 0) return -1;
    int failed = data_only ? REAL(fdatasync)(fd) : REAL(fsync)(fd);
    if (!failed) note(SYNC, path, "", inode_of(fd), 0, 0, NULL);
    leave();
    return failed;
}
int fsync(int fd) { return synced(fd, 0); }
int fdatasync(int fd) { return synced(fd, 1); }

int renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
    char path[2 * PATH_MAX], other[2 * PATH_MAX];
    if (!absolute(from, old, path) | !absolute(to, new, other)) return REAL(renameat2)(from, old, to, new, flags);
    if (enter(RENAME, path) < 0) return -1;
    int failed = REAL(renameat2)(from, old, to, new, flags);
    if (!failed) note(RENAME, path, other, 0, 0, 0, NULL);
    leave();
    return failed;
}
int renameat(int from, const char *old, int to, const char *new) { return renameat2(from, old, to, new, 0); }
int rename(const char *old, const char *new) { return renameat2(AT_FDCWD, old, AT_FDCWD, new, 0); }

int unlinkat(int folder, const char *name, int flags) {
    char path[2 * PATH_MAX];
    int kind = flags & AT_REMOVEDIR ? RMDIR : UNLINK;
    if (!absolute(folder, name, path)) return REAL(unlinkat)(folder, name, flags);
    if (enter(kind, path) < 0) return -1;
    int failed = REAL(unlinkat)(folder, name, flags);
    if (!failed) note(kind, path, "", 0, 0, 0, NULL);
    leave();
    return failed;
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }
int remove(const char *name) {
    struct stat found;
    return unlinkat(AT_FDCWD, name, !lstat(name, &found) && S_ISDIR(found.st_mode) ? AT_REMOVEDIR : 0);
}

int mkdirat(int folder, const char *name, mode_t permissions) {
    char path[2 * PATH_MAX];
    if (!absolute(folder, name, path)) return REAL(mkdirat)(folder, name, permissions);
    if (enter(MKDIR, path) < 0) return -1;
    int failed = REAL(mkdirat)(folder, name, permissions);
    if (!failed) note(MKDIR, path, "", 0, 0, 0, NULL);
    leave();
    return failed;
}
int mkdir(const char *name, mode_t permissions) { return mkdirat(AT_FDCWD, name, permissions); }
