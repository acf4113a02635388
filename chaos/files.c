/* Disturbs one file operation of a process: preloaded, and armed by `chaos_arm` after the process was forked.
 *
 * Operations below one folder are counted by what they do and to which path, with every word that has a digit in it
 * taken out. Each goes to a log. The one that is planned is refused, done with its answer lost, cut short or garbled. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum fault { NONE, ERROR, LOST, CUT, GARBLED };
static struct { char label[256]; int count; } seen[4096];
static int seen_count;
static char root[PATH_MAX], planned[256], marker[PATH_MAX];
static int planned_occurrence, log_fd = -1;
static enum fault planned_fault;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

void chaos_arm(const char *folder, int log, const char *label, int occurrence, const char *fault, const char *mark) {
    snprintf(root, sizeof root, "%s/", folder);
    snprintf(planned, sizeof planned, "%s", label);
    snprintf(marker, sizeof marker, "%s", mark);
    planned_occurrence = occurrence;
    planned_fault = !strcmp(fault, "error") ? ERROR : !strcmp(fault, "lost") ? LOST : !strcmp(fault, "cut") ? CUT
                  : !strcmp(fault, "garbled") ? GARBLED : NONE;
    seen_count = 0;
    log_fd = log;
}

/* Every word with a digit in it becomes '#', as `faults.labelled` has it. */
static void without_digits(const char *text, char *out, size_t room) {
    size_t at = 0;
    while (*text && at + 2 < room) {
        const char *end = text;
        int digits = 0;
        while (isalnum((unsigned char)*end) || *end == '_') digits |= isdigit((unsigned char)*end++);
        if (end == text) { out[at++] = *text++; continue; }
        /* Temporary names of Python's are letters alone at times: tmpabcdefgh, upload-abcdefgh. */
        size_t letters = end - text;
        if (digits || (letters == 11 && !strncmp(text, "tmp", 3)) || (letters == 8 && at && out[at - 1] == '-')) out[at++] = '#';
        else while (text < end && at + 2 < room) out[at++] = *text++;
        text = end;
    }
    out[at] = 0;
}

static enum fault met(const char *what, const char *path) {
    if (log_fd < 0 || !path) return NONE;
    size_t length = strlen(root);
    if (strncmp(path, root, length)) return NONE;
    int before = errno;
    enum fault fault = NONE;
    char plain[200], label[256], line[300];
    without_digits(path + length, plain, sizeof plain);
    snprintf(label, sizeof label, "%s %s", what, plain);
    pthread_mutex_lock(&lock);
    int n = 0;
    while (n < seen_count && strcmp(seen[n].label, label)) n++;
    if (n == seen_count && n < 4096) { strcpy(seen[n].label, label); seen[n].count = 0; seen_count++; }
    if (n < 4096) {
        seen[n].count++;
        int size = snprintf(line, sizeof line, "file\t%s\n", label);
        syscall(SYS_write, log_fd, line, size);
        if (planned_fault && seen[n].count == planned_occurrence && !strcmp(label, planned)) {
            fault = planned_fault;
            int fd = syscall(SYS_openat, AT_FDCWD, marker, O_CREAT | O_WRONLY, 0600);
            if (fd >= 0) syscall(SYS_close, fd);
        }
    }
    pthread_mutex_unlock(&lock);
    errno = before;
    return fault;
}

static enum fault met_at(const char *what, int folder, const char *path) {
    char whole[PATH_MAX * 2];
    if (log_fd < 0 || !path) return NONE;
    if (*path == '/') return met(what, path);
    char link[64], at[PATH_MAX];
    if (folder == AT_FDCWD) { if (!getcwd(at, sizeof at)) return NONE; }
    else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t size = syscall(SYS_readlink, link, at, sizeof at - 1);
        if (size < 0) return NONE;
        at[size] = 0;
    }
    snprintf(whole, sizeof whole, "%s/%s", at, path);
    return met(what, whole);
}

static enum fault met_open(const char *what, int fd) {
    if (log_fd < 0 || fd == log_fd) return NONE;
    char link[64], at[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int before = errno;
    ssize_t size = syscall(SYS_readlink, link, at, sizeof at - 1);
    errno = before;
    if (size <= 0 || *at != '/') return NONE;
    at[size] = 0;
    return met(what, at);
}

#define FAIL(code) do { errno = (code); return -1; } while (0)
/* Refused before, or lost after. */
#define AROUND(fault, code, call) \
    do { if ((fault) == ERROR) FAIL(code); __auto_type answer = (call); if ((fault) == LOST && answer >= 0) FAIL(EIO); return answer; } while (0)

static int opened(enum fault fault, int flags, int fd) {
    (void)flags;
    if (fault == LOST && fd >= 0) { syscall(SYS_close, fd); FAIL(EIO); }
    return fd;
}
static const char *opening(int flags) { return flags & O_DIRECTORY ? "list" : flags & O_CREAT ? "create" : "open"; }
static int refusal(int flags) { return flags & O_CREAT ? ENOSPC : flags & O_DIRECTORY ? EIO : EMFILE; }
#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list rest; va_start(rest, flags); mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; va_end(rest); \
        enum fault fault = met_at(opening(flags), AT_FDCWD, path); \
        if (fault == ERROR) FAIL(refusal(flags)); \
        return opened(fault, flags, REAL(name)(path, flags, mode)); }
#define OPENAT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        va_list rest; va_start(rest, flags); mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; va_end(rest); \
        enum fault fault = met_at(opening(flags), folder, path); \
        if (fault == ERROR) FAIL(refusal(flags)); \
        return opened(fault, flags, REAL(name)(folder, path, flags, mode)); }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int fd, const void *data, size_t size) {
    enum fault fault = met_open("write", fd);
    if (fault == ERROR) FAIL(ENOSPC);
    if (fault == CUT) { /* Half of it, and then the disk is full. */
        REAL(write)(fd, data, size / 2);
        FAIL(ENOSPC);
    }
    if (fault == GARBLED && size) {
        char *copy = malloc(size);
        memcpy(copy, data, size);
        copy[size / 2] ^= 0x55;
        ssize_t done = REAL(write)(fd, copy, size);
        free(copy);
        return done;
    }
    ssize_t done = REAL(write)(fd, data, size);
    if (fault == LOST) FAIL(EIO);
    return done;
}

static ssize_t read_of(enum fault fault, void *data, ssize_t done) {
    if (fault == GARBLED && done > 0) ((char *)data)[done / 2] ^= 0x55;
    return fault == CUT && done > 0 ? done / 2 : done;
}
ssize_t read(int fd, void *data, size_t size) {
    enum fault fault = met_open("read", fd);
    if (fault == ERROR) FAIL(EIO);
    return read_of(fault, data, REAL(read)(fd, data, size));
}
ssize_t pread64(int fd, void *data, size_t size, off64_t at) {
    enum fault fault = met_open("read", fd);
    if (fault == ERROR) FAIL(EIO);
    return read_of(fault, data, REAL(pread64)(fd, data, size, at));
}
int fsync(int fd) { enum fault f = met_open("sync", fd); AROUND(f, EIO, REAL(fsync)(fd)); }
int fdatasync(int fd) { enum fault f = met_open("sync", fd); AROUND(f, EIO, REAL(fdatasync)(fd)); }
int ftruncate64(int fd, off64_t size) { enum fault f = met_open("truncate", fd); AROUND(f, EIO, REAL(ftruncate64)(fd, size)); }
int rename(const char *a, const char *b) { enum fault f = met_at("rename", AT_FDCWD, b); AROUND(f, EIO, REAL(rename)(a, b)); }
int renameat(int x, const char *a, int y, const char *b) { enum fault f = met_at("rename", y, b); AROUND(f, EIO, REAL(renameat)(x, a, y, b)); }
int link(const char *a, const char *b) { enum fault f = met_at("link", AT_FDCWD, b); AROUND(f, EIO, REAL(link)(a, b)); }
int linkat(int x, const char *a, int y, const char *b, int flags) { enum fault f = met_at("link", y, b); AROUND(f, EIO, REAL(linkat)(x, a, y, b, flags)); }
int unlink(const char *a) { enum fault f = met_at("remove", AT_FDCWD, a); AROUND(f, EIO, REAL(unlink)(a)); }
int unlinkat(int x, const char *a, int flags) { enum fault f = met_at("remove", x, a); AROUND(f, EIO, REAL(unlinkat)(x, a, flags)); }
int rmdir(const char *a) { enum fault f = met_at("remove", AT_FDCWD, a); AROUND(f, EIO, REAL(rmdir)(a)); }
int mkdir(const char *a, mode_t mode) { enum fault f = met_at("mkdir", AT_FDCWD, a); AROUND(f, ENOSPC, REAL(mkdir)(a, mode)); }
int mkdirat(int x, const char *a, mode_t mode) { enum fault f = met_at("mkdir", x, a); AROUND(f, ENOSPC, REAL(mkdirat)(x, a, mode)); }
int chmod(const char *a, mode_t mode) { enum fault f = met_at("chmod", AT_FDCWD, a); AROUND(f, EIO, REAL(chmod)(a, mode)); }
ssize_t sendfile64(int to, int from, off64_t *at, size_t size) { enum fault f = met_open("write", to); AROUND(f, ENOSPC, REAL(sendfile64)(to, from, at, size)); }
ssize_t copy_file_range(int from, off64_t *a, int to, off64_t *b, size_t size, unsigned flags) { enum fault f = met_open("write", to); AROUND(f, ENOSPC, REAL(copy_file_range)(from, a, to, b, size, flags)); }
DIR *opendir(const char *a) { if (met_at("list", AT_FDCWD, a) == ERROR) { errno = EIO; return NULL; } return REAL(opendir)(a); }

/* The time of day, so many seconds ahead as the first eight bytes of a file say, which is read by every call. */
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
static volatile long long *ahead;
void chaos_clock(const char *path) {
    int fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
    if (fd < 0) return;
    void *mapped = mmap(NULL, 8, PROT_READ, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    if (mapped != MAP_FAILED) ahead = mapped;
}
__attribute__((constructor)) static void clock_of_the_environment(void) {
    const char *path = getenv("CHAOS_CLOCK");
    if (path) chaos_clock(path);
}
int clock_gettime(clockid_t which, struct timespec *now) {
    int done = syscall(SYS_clock_gettime, which, now);
    if (!done && ahead && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) now->tv_sec += *ahead;
    return done;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec exact;
    int done = clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return done;
}
time_t time(time_t *into) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (into) *into = exact.tv_sec;
    return exact.tv_sec;
}
