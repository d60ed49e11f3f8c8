//! What a launch may ask for, and what can be asked about a function.
#![allow(
    unsafe_code,
    clippy::undocumented_unsafe_blocks,
    reason = "a C interface, called as it is described"
)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;

use cudarc::driver::sys::{self, CUfunction_attribute};
use cudarc::driver::{CudaContext, CudaModule, DriverError, LaunchConfig, PushKernelArg};
use cudarc::nvrtc::Ptx;
use support::scenario;

const KERNELS: &str = include_str!("kernels.ptx");

fn module(context: &Arc<CudaContext>) -> Arc<CudaModule> {
    context.load_module(Ptx::from_src(KERNELS)).unwrap()
}

fn code<T>(answer: Result<T, DriverError>) -> u32 {
    answer.map_or_else(|error| error.0 as u32, |_| 0)
}

#[test]
fn a_launch_that_no_device_can_run_is_refused() {
    scenario("a_launch_that_no_device_can_run_is_refused", "", || {
        let context = CudaContext::new(0).unwrap();
        let stream = context.default_stream();
        let module = module(&context);
        let (count, shared) =
            (module.load_function("count").unwrap(), module.load_function("shared").unwrap());
        let with = |grid_dim, block_dim| {
            let config = LaunchConfig { grid_dim, block_dim, shared_mem_bytes: 0 };
            code(unsafe { stream.launch_builder(&count).launch(config) })
        };
        assert_eq!(with((0, 1, 1), (1, 1, 1)), 1);
        assert_eq!(with((1, 65_536, 1), (1, 1, 1)), 1);
        assert_eq!(with((1, 1, 1), (32, 32, 2)), 1);
        assert_eq!(with((1, 1, 1), (1, 1, 65)), 1);
        assert_eq!(with((1, 1, 1), (32, 32, 1)), 0);

        // 1 KiB of the 48 is the kernel's own.
        let launch = |bytes| {
            let config = LaunchConfig { grid_dim: (1, 1, 1), block_dim: (1, 1, 1), shared_mem_bytes: bytes };
            code(unsafe { stream.launch_builder(&shared).arg(&0u64).launch(config) })
        };
        assert_eq!([launch(47 << 10), launch((47 << 10) + 1)], [0, 1]);
        let attribute = CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
        assert_eq!(code(shared.set_attribute(attribute, 227 << 10)), 1);
        shared.set_attribute(attribute, 226 << 10).unwrap();
        assert_eq!([launch(226 << 10), launch((226 << 10) + 1)], [0, 1]);
        assert_eq!(shared.shared_size_bytes().unwrap(), 1024);
        assert_eq!(shared.occupancy_max_active_blocks_per_multiprocessor(1024, 100 << 10, None).unwrap(), 2);
        assert_eq!(shared.occupancy_max_active_blocks_per_multiprocessor(1024, 200 << 10, None).unwrap(), 1);
    });
}

#[test]
fn a_cooperative_launch_has_to_fit_at_once() {
    scenario("a_cooperative_launch_has_to_fit_at_once", "", || {
        let context = CudaContext::new(0).unwrap();
        let stream = context.default_stream();
        let count = module(&context).load_function("count").unwrap();
        let with = |blocks| {
            let config =
                LaunchConfig { grid_dim: (blocks, 1, 1), block_dim: (1024, 1, 1), shared_mem_bytes: 0 };
            code(unsafe { stream.launch_builder(&count).launch_cooperative(config) })
        };
        assert_eq!([with(2 * 132), with(2 * 132 + 1)], [0, 720]);
    });
}

#[test]
fn the_best_block_is_the_largest_that_fills_a_multiprocessor() {
    scenario("the_best_block_is_the_largest_that_fills_a_multiprocessor", "", || {
        extern "C" fn shared_of(threads: i32) -> usize {
            threads as usize * 128
        }
        let context = CudaContext::new(0).unwrap();
        let count = module(&context).load_function("count").unwrap();
        let (_, block) = count.occupancy_max_potential_block_size(shared_of, 0, 0, None).unwrap();
        let blocks =
            count.occupancy_max_active_blocks_per_multiprocessor(block, block as usize * 128, None).unwrap();
        for threads in (32..=1024u32).step_by(32) {
            let shared = threads as usize * 128;
            let others = count.occupancy_max_active_blocks_per_multiprocessor(threads, shared, None).unwrap();
            assert!(others * threads <= blocks * block, "{threads}");
        }
    });
}

#[test]
fn a_configured_launch_runs_and_refuses_clusters() {
    scenario("a_configured_launch_runs_and_refuses_clusters", "", || {
        let context = CudaContext::new(0).unwrap();
        let stream = context.default_stream();
        let name = c"count";
        let image = std::ffi::CString::new(KERNELS).unwrap();
        unsafe {
            let (mut module, mut function) = (std::ptr::null_mut(), std::ptr::null_mut());
            assert_eq!(sys::cuModuleLoadData(&raw mut module, image.as_ptr().cast()) as u32, 0);
            assert_eq!(sys::cuModuleGetFunction(&raw mut function, module, name.as_ptr()) as u32, 0);
            let mut attribute: sys::CUlaunchAttribute = std::mem::zeroed();
            attribute.id = sys::CUlaunchAttributeID::CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
            let mut config: sys::CUlaunchConfig = std::mem::zeroed();
            (config.gridDimX, config.gridDimY, config.gridDimZ) = (2, 1, 1);
            (config.blockDimX, config.blockDimY, config.blockDimZ) = (1, 1, 1);
            (config.hStream, config.attrs, config.numAttrs) = (stream.cu_stream(), &raw mut attribute, 1);
            let mut launch = |width| {
                attribute.value.clusterDim.x = width;
                (attribute.value.clusterDim.y, attribute.value.clusterDim.z) = (1, 1);
                let none = std::ptr::null_mut();
                sys::cuLaunchKernelEx(&raw const config, function, none, none) as u32
            };
            assert_eq!([launch(1), launch(2)], [0, 801]);
        }
        stream.synchronize().unwrap();
    });
}
