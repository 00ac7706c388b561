/* Preloaded into a process, writes down what it does to the files of one folder, in order.
 *
 * POWER_FOLDER names the folder, POWER_LOG the file that the steps are appended to; power_record()
 * names others, or none. Several processes may share a log. A step is done and written down under
 * one lock, so that the log has the order in which they took effect. Syncs are written down and not
 * done: nothing here is meant to outlive the machine.
 *
 * A step in the log: kind, inode, offset, lengths of two texts (of 8 bytes each), then the texts. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static char folder[PATH_MAX];
static size_t folder_length;

static void begin(void) {
  pthread_mutex_lock(&mutex);
  if (log_fd >= 0) flock(log_fd, LOCK_EX);
}

static void end(void) {
  int kept = errno;
  if (log_fd >= 0) flock(log_fd, LOCK_UN);
  pthread_mutex_unlock(&mutex);
  errno = kept;
}

static void note(char kind, ino_t inode, off_t offset, const void *one, size_t one_length,
                 const void *other, size_t other_length) {
  int kept = errno;
  uint64_t head[] = {(uint64_t)kind, inode, (uint64_t)offset, one_length, other_length};
  struct iovec parts[] = {
      {head, sizeof head}, {(void *)one, one_length}, {(void *)other, other_length}};
  ssize_t all = (ssize_t)(sizeof head + one_length + other_length);
  if (REAL(writev)(log_fd, parts, 3) != all) abort(); /* a log with gaps would prove nothing */
  errno = kept;
}

/* Return what a path is called inside the folder; NULL if it is elsewhere or not to be recorded. */
static const char *inside(const char *path) {
  if (log_fd < 0 || path == NULL) return NULL;
  if (strncmp(path, folder, folder_length) != 0 || path[folder_length] != '/') return NULL;
  const char *name = path + folder_length + 1;
  size_t length = strlen(name);
  /* Memory shared by processes, which SQLite makes anew. */
  if (length >= 4 && strcmp(name + length - 4, "-shm") == 0) return NULL;
  return name;
}

/* Say whether an open file is to be recorded, and which it is. */
static int is_ours(int fd, struct stat *found) {
  char link[64], path[PATH_MAX];
  int kept = errno;
  if (log_fd < 0 || fd == log_fd) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  errno = kept;
  if (length < 0) return 0;
  path[length] = 0;
  return inside(path) != NULL && fstat(fd, found) == 0;
}

/* Return a path as it is absolute; relative ones are of the working directory. */
static const char *absolute(const char *path, char *room) {
  if (path == NULL || path[0] == '/') return path;
  char here[PATH_MAX / 2];
  if (getcwd(here, sizeof here) == NULL) return NULL;
  snprintf(room, PATH_MAX, "%s/%s", here, path);
  return room;
}

/* For tests: record `into` this log what happens in this folder from now on; NULL: nothing more. */
void power_record(const char *path, const char *into) {
  pthread_mutex_lock(&mutex);
  if (log_fd >= 0) close(log_fd);
  log_fd = -1;
  if (path != NULL) {
    snprintf(folder, sizeof folder, "%s", path);
    folder_length = strlen(folder);
    log_fd = REAL(open)(into, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0) abort();
  }
  pthread_mutex_unlock(&mutex);
}

/* For tests: write a text into the log, between the steps. */
void power_mark(const char *text, size_t length) {
  begin();
  if (log_fd >= 0) note('M', 0, 0, text, length, NULL, 0);
  end();
}

__attribute__((constructor)) static void from_environment(void) {
  const char *path = getenv("POWER_FOLDER"), *into = getenv("POWER_LOG");
  if (path != NULL && into != NULL) power_record(path, into);
}

static int opened(int at, const char *path, int flags, mode_t mode) {
  char room[PATH_MAX];
  const char *name =
      at == AT_FDCWD || (path && path[0] == '/') ? inside(absolute(path, room)) : NULL;
  if (name == NULL || !(flags & (O_CREAT | O_TRUNC))) return REAL(openat)(at, path, flags, mode);
  struct stat found;
  begin();
  int existed = stat(path, &found) == 0;
  int fd = REAL(openat)(at, path, flags, mode);
  if (fd >= 0 && fstat(fd, &found) == 0) {
    if (!existed) note('C', found.st_ino, 0, name, strlen(name), NULL, 0);
    else if (flags & O_TRUNC) note('T', found.st_ino, 0, NULL, 0, NULL, 0);
  }
  end();
  return fd;
}

#define MODE(flags, last)                        \
  mode_t mode = 0;                               \
  if ((flags) & (O_CREAT | __O_TMPFILE)) {       \
    va_list more;                                \
    va_start(more, last);                        \
    mode = (mode_t)va_arg(more, unsigned);       \
    va_end(more);                                \
  }

int open(const char *path, int flags, ...) {
  MODE(flags, flags)
  return opened(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  MODE(flags, flags)
  return opened(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int openat(int at, const char *path, int flags, ...) {
  MODE(flags, flags)
  return opened(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...) {
  MODE(flags, flags)
  return opened(at, path, flags | O_LARGEFILE, mode);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
  struct stat found;
  if (!is_ours(fd, &found)) return REAL(pwrite)(fd, data, length, offset);
  begin();
  ssize_t done = REAL(pwrite)(fd, data, length, offset);
  if (done > 0) note('W', found.st_ino, offset, data, (size_t)done, NULL, 0);
  end();
  return done;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
  return pwrite(fd, data, length, offset);
}

ssize_t write(int fd, const void *data, size_t length) {
  struct stat found;
  if (!is_ours(fd, &found)) return REAL(write)(fd, data, length);
  begin();
  ssize_t done = REAL(write)(fd, data, length);
  if (done > 0) /* where it ended is known after it, also of one that appends */
    note('W', found.st_ino, lseek(fd, 0, SEEK_CUR) - done, data, (size_t)done, NULL, 0);
  end();
  return done;
}

int ftruncate(int fd, off_t length) {
  struct stat found;
  if (!is_ours(fd, &found)) return REAL(ftruncate)(fd, length);
  begin();
  int failed = REAL(ftruncate)(fd, length);
  if (!failed) note('T', found.st_ino, length, NULL, 0, NULL, 0);
  end();
  return failed;
}

int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }

int truncate(const char *path, off_t length) {
  struct stat found;
  if (log_fd < 0 || inside(path) == NULL || stat(path, &found) != 0)
    return REAL(truncate)(path, length);
  begin();
  int failed = REAL(truncate)(path, length);
  if (!failed) note('T', found.st_ino, length, NULL, 0, NULL, 0);
  end();
  return failed;
}

int truncate64(const char *path, off64_t length) { return truncate(path, length); }

int posix_fallocate(int fd, off_t offset, off_t length) {
  struct stat found;
  if (!is_ours(fd, &found)) return REAL(posix_fallocate)(fd, offset, length);
  begin();
  int fault = REAL(posix_fallocate)(fd, offset, length);
  if (!fault && offset + length > found.st_size)
    note('T', found.st_ino, offset + length, NULL, 0, NULL, 0);
  end();
  return fault;
}

int posix_fallocate64(int fd, off64_t offset, off64_t length) {
  return posix_fallocate(fd, offset, length);
}

static int synced(int fd, int (*really)(int)) {
  struct stat found;
  char path[PATH_MAX], link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t size = log_fd < 0 ? -1 : readlink(link, path, sizeof path - 1);
  if (size >= 0) path[size] = 0;
  if (size < 0 || strncmp(path, folder, folder_length) != 0 || fstat(fd, &found) != 0)
    return really(fd);
  begin();
  if (S_ISDIR(found.st_mode)) {
    const char *name = path[folder_length] ? path + folder_length + 1 : "";
    note('D', 0, 0, name, strlen(name), NULL, 0);
  } else if (inside(path) != NULL) {
    note('S', found.st_ino, 0, NULL, 0, NULL, 0);
  }
  end();
  return 0;
}

int fsync(int fd) { return synced(fd, REAL(fsync)); }

int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }

int rename(const char *from, const char *to) {
  char one[PATH_MAX], other[PATH_MAX];
  const char *old = inside(absolute(from, one)), *new = inside(absolute(to, other));
  begin();
  int failed = REAL(rename)(from, to);
  if (!failed && (old == NULL) != (new == NULL)) abort(); /* into or out of the folder: unknown */
  if (!failed && old != NULL) note('R', 0, 0, old, strlen(old), new, strlen(new));
  end();
  return failed;
}

int link(const char *from, const char *to) {
  char one[PATH_MAX], other[PATH_MAX];
  const char *old = inside(absolute(from, one)), *new = inside(absolute(to, other));
  begin();
  int failed = REAL(link)(from, to);
  if (!failed && (old == NULL) != (new == NULL)) abort();
  if (!failed && old != NULL) note('L', 0, 0, old, strlen(old), new, strlen(new));
  end();
  return failed;
}

int unlink(const char *path) {
  char room[PATH_MAX];
  const char *name = inside(absolute(path, room));
  begin();
  int failed = REAL(unlink)(path);
  if (!failed && name != NULL) note('U', 0, 0, name, strlen(name), NULL, 0);
  end();
  return failed;
}

int mkdir(const char *path, mode_t mode) {
  char room[PATH_MAX];
  const char *name = inside(absolute(path, room));
  begin();
  int failed = REAL(mkdir)(path, mode);
  if (!failed && name != NULL) note('K', 0, 0, name, strlen(name), NULL, 0);
  end();
  return failed;
}
