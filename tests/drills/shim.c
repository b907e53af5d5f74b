/* Loaded before the C library: slow or failing fsync, a full disk, a moved clock. Steered through a mapped file. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct control { volatile long delay_us, sync_errno, write_errno, clock_seconds, syncs; };
static struct control nothing, *control = &nothing;
static const char *match = "";

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("DRILL_SHIM_CONTROL");
    int fd = path ? open(path, O_RDWR) : -1;
    if (getenv("DRILL_SHIM_MATCH")) match = getenv("DRILL_SHIM_MATCH");
    if (fd < 0) return;
    void *found = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (found != MAP_FAILED) control = found;
    close(fd);
}

static int matches(int fd) {
    char link[64], name[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, name, sizeof name - 1);
    if (length < 0) return 0;
    name[length] = 0;
    return strstr(name, match) != NULL;
}

static int before_sync(int fd) {
    if (!matches(fd)) return 0;
    __sync_fetch_and_add(&control->syncs, 1);
    if (control->delay_us) {
        struct timespec pause = {control->delay_us / 1000000, control->delay_us % 1000000 * 1000};
        nanosleep(&pause, NULL);
    }
    if (control->sync_errno) { errno = (int)control->sync_errno; return -1; }
    return 0;
}

static int before_write(int fd) {
    if (control->write_errno && matches(fd)) { errno = (int)control->write_errno; return -1; }
    return 0;
}

#define NEXT(result, name, ...) static result (*next)(__VA_ARGS__); if (!next) next = dlsym(RTLD_NEXT, name)

int fsync(int fd) { NEXT(int, "fsync", int); return before_sync(fd) ? -1 : next(fd); }
int fdatasync(int fd) { NEXT(int, "fdatasync", int); return before_sync(fd) ? -1 : next(fd); }
ssize_t pwrite(int fd, const void *from, size_t count, off_t at) {
    NEXT(ssize_t, "pwrite", int, const void *, size_t, off_t); return before_write(fd) ? -1 : next(fd, from, count, at); }
ssize_t pwrite64(int fd, const void *from, size_t count, off64_t at) {
    NEXT(ssize_t, "pwrite64", int, const void *, size_t, off64_t); return before_write(fd) ? -1 : next(fd, from, count, at); }
ssize_t pwritev(int fd, const struct iovec *from, int count, off_t at) {
    NEXT(ssize_t, "pwritev", int, const struct iovec *, int, off_t); return before_write(fd) ? -1 : next(fd, from, count, at); }
ssize_t write(int fd, const void *from, size_t count) {
    NEXT(ssize_t, "write", int, const void *, size_t); return before_write(fd) ? -1 : next(fd, from, count); }

int clock_gettime(clockid_t which, struct timespec *into) {
    NEXT(int, "clock_gettime", clockid_t, struct timespec *);
    int found = next(which, into);
    if (!found && which == CLOCK_REALTIME) into->tv_sec += control->clock_seconds;
    return found;
}
int gettimeofday(struct timeval *into, void *zone) {
    NEXT(int, "gettimeofday", struct timeval *, void *);
    int found = next(into, zone);
    if (!found) into->tv_sec += control->clock_seconds;
    return found;
}
time_t time(time_t *into) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (into) *into = now.tv_sec;
    return now.tv_sec;
}
