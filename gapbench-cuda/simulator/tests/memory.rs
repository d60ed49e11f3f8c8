//! Device memory through cudarc: exact figures, real limits, pinned and registered memory.
#![allow(
    unsafe_code,
    clippy::undocumented_unsafe_blocks,
    reason = "a C interface, called as it is described"
)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use cudarc::driver::sys::{self, CUmemPool_attribute};
use cudarc::driver::{CudaContext, result};
use support::{calls, control, scenario};

fn pool(context: &CudaContext, attribute: CUmemPool_attribute) -> u64 {
    let mut value = 0u64;
    unsafe {
        let pool = result::device::get_mem_pool(context.cu_device()).unwrap();
        result::mem_pool::get_attribute(pool, attribute, (&raw mut value).cast()).unwrap();
    }
    value
}

fn code(error: cudarc::driver::DriverError) -> u32 {
    error.0 as u32
}

#[test]
fn pool_figures_are_exact() {
    scenario("pool_figures_are_exact", "", || {
        let context = CudaContext::new(0).unwrap();
        let stream = context.default_stream();
        let (free, total) = context.mem_get_info().unwrap();
        assert_eq!((total, total - free), (143_771 << 20, 520 << 20));
        let large = unsafe { stream.alloc::<u8>(100 << 30) }.unwrap();
        let small = stream.alloc_zeros::<f32>(1_000).unwrap();
        let used = (100 << 30) + 4_096;
        assert_eq!(pool(&context, CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_CURRENT), used);
        let (free_now, _) = context.mem_get_info().unwrap();
        assert_eq!(free - free_now, (100 << 30) + (32 << 20));
        drop(large);
        assert_eq!(pool(&context, CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_CURRENT), 4_096);
        assert_eq!(pool(&context, CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_HIGH), used);
        unsafe {
            let device_pool = result::device::get_mem_pool(context.cu_device()).unwrap();
            let (high, mut zero) = (CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_HIGH, 0u64);
            result::mem_pool::set_attribute(device_pool, high, (&raw mut zero).cast()).unwrap();
        }
        assert_eq!(pool(&context, CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_HIGH), 4_096);
        stream.synchronize().unwrap();
        assert_eq!(pool(&context, CUmemPool_attribute::CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT), 32 << 20);
        assert_eq!(stream.clone_dtoh(&small).unwrap(), [0.0; 1_000]);
    });
}

#[test]
fn memory_ends_at_the_capacity() {
    // The context's own 520 MiB and 1 GiB.
    let bytes = (520 << 20) + (1 << 30);
    scenario("memory_ends_at_the_capacity", &format!("memory {bytes}"), || {
        let context = CudaContext::new(0).unwrap();
        let stream = context.default_stream();
        assert_eq!(code(unsafe { stream.alloc::<u8>((1 << 30) + 1) }.unwrap_err()), 2);
        let all = unsafe { stream.alloc::<u8>(1 << 30) }.unwrap();
        assert_eq!(code(unsafe { stream.alloc::<u8>(1) }.unwrap_err()), 2);
        assert_eq!(context.mem_get_info().unwrap().0, 0);
        drop(all);
        unsafe { stream.alloc::<u8>(1 << 30) }.unwrap();
    });
}

#[test]
fn the_nth_allocation_fails_once() {
    scenario("the_nth_allocation_fails_once", "fail cuMemAllocAsync at 3 with 2", || {
        let stream = CudaContext::new(0).unwrap().default_stream();
        let allocations = [0; 4].map(|_| unsafe { stream.alloc::<u8>(16) }.map(|_| ()).map_err(code));
        assert_eq!(allocations, [Ok(()), Ok(()), Err(2), Ok(())]);
        assert_eq!(calls(c"cuMemAllocAsync"), 4);
        assert_eq!(control("fail cuMemAllocAsync at 1 with 2"), 0);
        assert_eq!(unsafe { stream.alloc::<u8>(16) }.map(|_| ()).map_err(code), Err(2));
    });
}

#[test]
fn fresh_memory_is_no_number() {
    scenario("fresh_memory_is_no_number", "", || {
        let stream = CudaContext::new(0).unwrap().default_stream();
        let fresh = unsafe { stream.alloc::<f32>(100) }.unwrap();
        assert!(stream.clone_dtoh(&fresh).unwrap().iter().all(|value| value.is_nan()));
    });
}

#[test]
fn pageable_memory_may_change_after_a_copy() {
    scenario("pageable_memory_may_change_after_a_copy", "realtime", || {
        let stream = CudaContext::new(0).unwrap().new_stream().unwrap();
        let mut values = vec![1u32; 1 << 20];
        let copy = stream.clone_htod(&values).unwrap();
        values.fill(2);
        assert_eq!(stream.clone_dtoh(&copy).unwrap(), vec![1; 1 << 20]);
        let mut other = stream.alloc_zeros::<u32>(1 << 20).unwrap();
        stream.memcpy_dtod(&copy, &mut other).unwrap();
        assert_eq!(stream.clone_dtoh(&other).unwrap()[(1 << 20) - 1], 1);
    });
}

#[test]
fn host_memory_has_the_same_address_on_the_device() {
    scenario("host_memory_has_the_same_address_on_the_device", "", || {
        let context = CudaContext::new(0).unwrap();
        let _stream = context.default_stream();
        unsafe {
            let host = result::malloc_host(4096, sys::CU_MEMHOSTALLOC_DEVICEMAP).unwrap();
            let mut device = 0;
            assert_eq!(sys::cuMemHostGetDevicePointer_v2(&raw mut device, host, 0) as u32, 0);
            assert_eq!(device, host as u64);
            result::memset_d8_sync(device, 7, 4096).unwrap();
            assert_eq!(host.cast::<u8>().add(4095).read(), 7);
            result::free_host(host).unwrap();
            assert_eq!(sys::cuMemHostGetDevicePointer_v2(&raw mut device, host, 0) as u32, 1);

            let mut own = vec![0u32; 1024];
            let address = own.as_mut_ptr().cast();
            assert_eq!(sys::cuMemHostRegister_v2(address, 4096, 0) as u32, 0);
            assert_eq!(sys::cuMemHostRegister_v2(address, 4096, 0) as u32, 712);
            assert_eq!(sys::cuMemHostUnregister(address) as u32, 0);
            assert_eq!(sys::cuMemHostUnregister(address) as u32, 713);
        }
    });
}

#[test]
fn a_free_without_a_context_fails_on_the_null_stream() {
    scenario("a_free_without_a_context_fails_on_the_null_stream", "", || {
        let context = CudaContext::new(0).unwrap();
        let slice = context.default_stream().alloc_zeros::<u8>(16).unwrap();
        std::thread::spawn(move || drop(slice)).join().unwrap();
        assert_eq!(code(context.check_err().unwrap_err()), 201);
        assert_eq!(pool(&context, CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_CURRENT), 512);
    });
}

#[test]
fn a_range_outside_every_allocation_is_refused() {
    scenario("a_range_outside_every_allocation_is_refused", "", || {
        let context = CudaContext::new(0).unwrap();
        let stream = context.default_stream();
        unsafe {
            let address = result::malloc_sync(100).unwrap();
            assert_eq!(result::memset_d8_async(address, 0, 101, stream.cu_stream()).map_err(code), Err(1));
            result::free_sync(address).unwrap();
            assert_eq!(result::memset_d8_async(address, 0, 100, stream.cu_stream()).map_err(code), Err(1));
            assert_eq!(result::free_sync(address).map_err(code), Err(1));
        }
    });
}

#[test]
fn fills_write_their_range_and_nothing_else() {
    scenario("fills_write_their_range_and_nothing_else", "", || {
        let stream = CudaContext::new(0).unwrap().default_stream();
        let size = 3 << 20;
        let memory = stream.clone_htod(&vec![1u8; size]).unwrap();
        let (address, _recorded) = cudarc::driver::DevicePtr::device_ptr(&memory, &stream);
        unsafe {
            result::memset_d8_async(address + 1, 0, size - 2, stream.cu_stream()).unwrap();
            let mut expected = vec![0u8; size];
            (expected[0], expected[size - 1]) = (1, 1);
            assert_eq!(stream.clone_dtoh(&memory).unwrap(), expected);
            assert_eq!(sys::cuMemsetD32Async(address + 4, 0x0403_0201, 2, stream.cu_stream()) as u32, 0);
            assert_eq!(stream.clone_dtoh(&memory).unwrap()[..13], [1, 0, 0, 0, 1, 2, 3, 4, 1, 2, 3, 4, 0]);
            assert_eq!(sys::cuMemsetD16Async(address + 1, 0, 1, stream.cu_stream()) as u32, 1, "not aligned");
        }
    });
}

#[test]
fn managed_memory_is_the_hosts_too() {
    scenario("managed_memory_is_the_hosts_too", "", || {
        let context = CudaContext::new(0).unwrap();
        let stream = context.default_stream();
        unsafe {
            let flags = sys::CUmemAttach_flags::CU_MEM_ATTACH_GLOBAL;
            let address = result::malloc_managed(4096, flags).unwrap();
            result::memset_d8_async(address, 9, 4096, stream.cu_stream()).unwrap();
            stream.synchronize().unwrap();
            assert_eq!((address as *const u8).add(4095).read(), 9);
            assert_eq!(
                context.mem_get_info().map(|(free, total)| total - free).unwrap(),
                (520 << 20) + (2 << 20)
            );
            result::free_sync(address).unwrap();
        }
    });
}
