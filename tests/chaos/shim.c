/* Loaded before the C library into the process under test. What it does is read from shared memory at each call:
 *   full          nothing can be written to files: ENOSPC
 *   unsynced      fsync fails: ENOSPC, as where room is found for what was written only then; 2: and from the first such
 *                 on nothing can be written either
 *   sync_us       microseconds that each fsync takes longer
 *   clock_us      microseconds by which the time of day is off; the monotonic clock is not touched
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct control { volatile int64_t full, unsynced, sync_us, clock_us; };

static struct control untouched;
static struct control *control = &untouched;
static volatile int has_failed;

static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fallocate)(int, int, off_t, off_t);
static int (*real_posix_fallocate)(int, off_t, off_t);

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("CHAOS_CONTROL");
    real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_fallocate = dlsym(RTLD_NEXT, "fallocate64");
    real_posix_fallocate = dlsym(RTLD_NEXT, "posix_fallocate64");
    if (!path) return;
    int fd = open(path, O_RDONLY);
    if (fd < 0) abort();
    void *shared = mmap(0, sizeof *control, PROT_READ, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED) abort();
    close(fd);
    control = shared;
}

/* Standard streams stay writable, so that the log can tell what happens. */
static int is_full(int fd)
{
    struct stat found;
    int refuses = control->full || (control->unsynced == 2 && has_failed);
    return refuses && fd > 2 && fstat(fd, &found) == 0 && S_ISREG(found.st_mode);
}

#define REFUSE_IF_FULL(fd) if (is_full(fd)) { errno = ENOSPC; return -1; }

ssize_t write(int fd, const void *octets, size_t count)
{
    REFUSE_IF_FULL(fd)
    return real_write(fd, octets, count);
}

ssize_t pwrite64(int fd, const void *octets, size_t count, off_t at)
{
    REFUSE_IF_FULL(fd)
    return real_pwrite(fd, octets, count, at);
}

ssize_t pwrite(int fd, const void *octets, size_t count, off_t at) { return pwrite64(fd, octets, count, at); }

int ftruncate64(int fd, off_t size)
{
    REFUSE_IF_FULL(fd)
    return real_ftruncate(fd, size);
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int fallocate64(int fd, int mode, off_t from, off_t size)
{
    REFUSE_IF_FULL(fd)
    return real_fallocate(fd, mode, from, size);
}

int fallocate(int fd, int mode, off_t from, off_t size) { return fallocate64(fd, mode, from, size); }

int posix_fallocate64(int fd, off_t from, off_t size)
{
    return is_full(fd) ? ENOSPC : real_posix_fallocate(fd, from, size);
}

int posix_fallocate(int fd, off_t from, off_t size) { return posix_fallocate64(fd, from, size); }

static int slowly(int (*sync)(int), int fd)
{
    REFUSE_IF_FULL(fd)
    if (control->unsynced) {
        if (control->unsynced == 2) has_failed = 1;
        errno = ENOSPC;
        return -1;
    }
    if (control->sync_us > 0) usleep(control->sync_us);
    return sync(fd);
}

int fsync(int fd) { return slowly(real_fsync, fd); }

int fdatasync(int fd) { return slowly(real_fdatasync, fd); }

int clock_gettime(clockid_t id, struct timespec *now)
{
    int done = real_clock_gettime(id, now);
    if (done == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) now->tv_sec += control->clock_us / 1000000;
    return done;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec precise;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &precise)) return -1;
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now)
{
    struct timespec precise;
    if (clock_gettime(CLOCK_REALTIME, &precise)) return (time_t)-1;
    if (now) *now = precise.tv_sec;
    return precise.tv_sec;
}
