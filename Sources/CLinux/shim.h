// What Glibc's own Swift module leaves out: epoll, eventfd, signalfd.
#pragma once
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
