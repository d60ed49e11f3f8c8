// MLPerf LoadGen before the same systems.
//
// usage: peer single|server REQUESTS RATE SERVICE_US
#include <sys/resource.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "loadgen.h"
#include "query_sample_library.h"
#include "system_under_test.h"
#include "test_settings.h"

static long service_us = 0;
static unsigned long long issued = 0;

struct System : mlperf::SystemUnderTest {
  std::string name = "null";
  const std::string& Name() override { return name; }
  void IssueQuery(const std::vector<mlperf::QuerySample>& samples) override {
    for (const auto& sample : samples) {
      if (service_us > 0) {
        timespec pause{0, service_us * 1000};
        nanosleep(&pause, nullptr);
      }
      ++issued;
      mlperf::QuerySampleResponse response{sample.id, 0, 0};
      mlperf::QuerySamplesComplete(&response, 1);
    }
  }
  void FlushQueries() override {}
};

struct Library : mlperf::QuerySampleLibrary {
  std::string name = "inputs";
  const std::string& Name() override { return name; }
  size_t TotalSampleCount() override { return 1024; }
  size_t PerformanceSampleCount() override { return 1024; }
  void LoadSamplesToRam(const std::vector<mlperf::QuerySampleIndex>&) override {}
  void UnloadSamplesFromRam(const std::vector<mlperf::QuerySampleIndex>&) override {}
};

static double cpu_seconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + 1e-6 * (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

int main(int, char** arguments) {
  const bool single = std::string(arguments[1]) == "single";
  const unsigned long requests = strtoul(arguments[2], nullptr, 10);
  const double rate = strtod(arguments[3], nullptr);
  service_us = strtol(arguments[4], nullptr, 10);
  mlperf::TestSettings settings;
  settings.scenario = single ? mlperf::TestScenario::SingleStream : mlperf::TestScenario::Server;
  settings.mode = mlperf::TestMode::PerformanceOnly;
  settings.min_query_count = settings.max_query_count = requests;
  settings.min_duration_ms = 0;
  settings.single_stream_expected_latency_ns = 1000;
  settings.server_target_qps = rate;
  settings.server_target_latency_ns = 1000000000;
  mlperf::LogSettings log;
  log.log_output.outdir = ".";
  log.enable_trace = false;
  System system;
  Library library;
  const double before = cpu_seconds();
  mlperf::StartTest(&system, &library, settings, log);
  printf("%llu %.9f\n", issued, cpu_seconds() - before);
}
