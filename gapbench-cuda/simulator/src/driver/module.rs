//! Loading images: PTX is parsed, everything else is refused with the code that hardware gives.

use std::sync::Arc;

use super::code::{Code, Outcome};
use crate::ptx;

/// A loaded image.
pub(crate) struct Module {
    pub(crate) ptx: ptx::Module,
}

/// A kernel of a loaded image, and what the program has set for it.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) module: Arc<Module>,
    pub(crate) module_handle: u64,
    pub(crate) name: String,
    pub(crate) max_dynamic_shared: u32,
    pub(crate) carveout: i32,
}

impl Function {
    pub(crate) fn kernel(&self) -> Outcome<&ptx::Kernel> {
        self.module.ptx.kernels.get(&self.name).ok_or(Code::INVALID_HANDLE)
    }
}

/// Why an image was refused: the code, and the sentence for the JIT log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    pub(crate) log: String,
}

fn refuse<T>(code: Code, log: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { code, log: log.into() })
}

/// The highest PTX version of a driver: that of the CUDA release which the driver came with.
fn newest_ptx(driver_version: i32) -> (u32, u32) {
    let (major, minor) = (driver_version / 1000, driver_version % 1000 / 10);
    match (major, minor) {
        (12, minor @ 0..=5) => (8, minor as u32),
        (12, 6) => (8, 5),
        (12, minor) => (8, minor as u32 - 1),
        (major, minor) => (major.saturating_sub(4).max(0) as u32, minor.max(0) as u32),
    }
}

/// Reads an image of unknown length, as `cuModuleLoadData` receives it.
pub(crate) fn load(image: u64, driver_version: i32) -> Result<Module, Refusal> {
    let magic = read(image, 4).unwrap_or_default();
    match magic.as_slice() {
        [0x7f, b'E', b'L', b'F'] => load_elf(image),
        [0x50, 0xed, 0x55, 0xba] => {
            refuse(Code::NOT_SUPPORTED, "fat binaries are not supported, only PTX is")
        }
        _ => match read_text(image) {
            Some(text) => load_ptx(&text, driver_version),
            None => refuse(Code::INVALID_IMAGE, "the image is neither an ELF file nor a text"),
        },
    }
}

fn load_ptx(text: &str, driver_version: i32) -> Result<Module, Refusal> {
    let Some(version) = directive(text, ".version").and_then(|version| {
        let (major, minor) = version.split_once('.')?;
        Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
    }) else {
        return refuse(Code::INVALID_IMAGE, "the image is no PTX text: it has no `.version`");
    };
    // Before the text is parsed: a newer version may hold what this parser does not know.
    let newest = newest_ptx(driver_version);
    if version > newest {
        let log = format!(
            "PTX version {}.{} is above the {}.{} of this driver",
            version.0, version.1, newest.0, newest.1
        );
        return refuse(Code::UNSUPPORTED_PTX_VERSION, log);
    }
    let target = directive(text, ".target").and_then(|target| target.split(',').next()).unwrap_or_default();
    // `sm_90a` runs on 9.0 only, which this device is.
    let number = target.trim_start_matches("sm_").trim_end_matches(['a', 'f']);
    if number.parse::<u32>().is_ok_and(|number| number > 90) {
        return refuse(Code::NO_BINARY_FOR_GPU, format!("the PTX is for {target}, and the device is sm_90"));
    }
    match ptx::Module::parse(text) {
        Ok(ptx) => Ok(Module { ptx }),
        Err(error) => refuse(Code::INVALID_PTX, format!("ptxas application ptx input, {error}")),
    }
}

/// The word after a directive at the start of a line.
fn directive<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.trim_start().strip_prefix(name)?.split_whitespace().next())
}

/// Native code cannot be executed here; what can be told apart is whether the file is whole.
fn load_elf(image: u64) -> Result<Module, Refusal> {
    match elf_kernels(image) {
        Some(kernels) => {
            let log =
                format!("the simulator executes PTX only, not the native code of {}", kernels.join(", "));
            refuse(Code::NO_BINARY_FOR_GPU, log)
        }
        None => refuse(Code::INVALID_IMAGE, "the ELF image is damaged or is not for a CUDA device"),
    }
}

/// The kernels that an ELF file for CUDA names in its sections.
fn elf_kernels(image: u64) -> Option<Vec<String>> {
    const EM_CUDA: u64 = 190;
    let field = |offset: u64, bytes: usize| {
        let raw = read(image.checked_add(offset)?, bytes)?;
        Some(raw.iter().rev().fold(0u64, |value, &byte| value << 8 | u64::from(byte)))
    };
    if field(0x12, 2)? != EM_CUDA {
        return None;
    }
    let (table, entry, count, names) = (field(0x28, 8)?, field(0x3a, 2)?, field(0x3c, 2)?, field(0x3e, 2)?);
    if entry != 64 || names >= count {
        return None;
    }
    // A damaged file holds any numbers: sums wrap, and what they point to is then not readable or no name.
    let section = |index: u64| table.wrapping_add(index * entry);
    let strings = field(section(names).wrapping_add(0x18), 8)?;
    let mut kernels = Vec::new();
    for index in 0..count {
        let offset = strings.wrapping_add(field(section(index), 4)?);
        let name = read_text(image.checked_add(offset)?)?;
        if let Some(kernel) = name.strip_prefix(".text.") {
            kernels.push(kernel.to_owned());
        }
    }
    (!kernels.is_empty()).then_some(kernels)
}

/// Reads this process's memory without a fault where there is none: a damaged image has offsets into nowhere.
fn read(address: u64, bytes: usize) -> Option<Vec<u8>> {
    let mut buffer = vec![0u8; bytes];
    let local = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: bytes };
    let remote = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: bytes };
    // SAFETY: the kernel checks both ranges; the local one is the buffer.
    let copied =
        unsafe { libc::process_vm_readv(libc::getpid(), &raw const local, 1, &raw const remote, 1, 0) };
    (usize::try_from(copied) == Ok(bytes)).then_some(buffer)
}

/// Reads a text up to its zero byte, a piece of a page at a time.
fn read_text(address: u64) -> Option<String> {
    const PIECE: u64 = 256;
    let mut text = Vec::new();
    let mut at = address;
    loop {
        let piece = read(at, (PIECE - at % PIECE) as usize)?;
        if let Some(end) = piece.iter().position(|&byte| byte == 0) {
            text.extend_from_slice(&piece[..end]);
            return String::from_utf8(text).ok();
        }
        at += piece.len() as u64;
        text.extend(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, load, newest_ptx, read_text};

    fn refused(image: &[u8], driver_version: i32) -> Code {
        load(image.as_ptr() as u64, driver_version).map(|_| ()).unwrap_err().code
    }

    #[test]
    fn each_driver_knows_ptx_up_to_its_release() {
        let versions = [12_000, 12_040, 12_060, 12_080, 12_090, 13_000, 11_080].map(newest_ptx);
        assert_eq!(versions, [(8, 0), (8, 4), (8, 5), (8, 7), (8, 8), (9, 0), (7, 8)]);
    }

    #[test]
    fn an_image_that_cannot_run_is_refused_with_its_own_code() {
        assert_eq!(refused(b"hello\0", 13_000), Code::INVALID_IMAGE);
        assert_eq!(refused(b"\xff\xfe\xfd\xfc\0", 13_000), Code::INVALID_IMAGE);
        assert_eq!(refused(b".version 9.0\n.target sm_90\n\0", 12_080), Code::UNSUPPORTED_PTX_VERSION);
        assert_eq!(refused(b".version 9.0\n.target sm_100a\n\0", 13_000), Code::NO_BINARY_FOR_GPU);
        assert_eq!(refused(b".version 9.0\n.target sm_90\nnonsense\0", 13_000), Code::INVALID_PTX);
        assert_eq!(
            refused(
                b"\x7fELF\x02\x01\x01\0 and then nothing of sense, for a hundred bytes ..............\0",
                13_000
            ),
            Code::INVALID_IMAGE
        );
        assert_eq!(refused(b"\x50\xed\x55\xba\0", 13_000), Code::NOT_SUPPORTED);
    }

    /// Two sections, the second of which holds both names.
    fn cubin(kernel: &str) -> Vec<u8> {
        let names = format!("\0.text.{kernel}\0.shstrtab\0");
        let mut image = vec![0u8; 64 + 2 * 64];
        let mut put = |at: usize, bytes: &[u8]| image[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"\x7fELF");
        put(0x12, &190u16.to_le_bytes());
        put(0x28, &64u64.to_le_bytes());
        put(0x3a, &64u16.to_le_bytes());
        put(0x3c, &2u16.to_le_bytes());
        put(0x3e, &1u16.to_le_bytes());
        put(64, &1u32.to_le_bytes());
        put(128, &(8 + kernel.len() as u32).to_le_bytes());
        put(128 + 0x18, &192u64.to_le_bytes());
        image.extend(names.bytes());
        image
    }

    #[test]
    fn native_code_is_told_from_a_damaged_file() {
        let image = cubin("softmax");
        let refusal = load(image.as_ptr() as u64, 13_000).map(|_| ()).unwrap_err();
        assert_eq!(refusal.code, Code::NO_BINARY_FOR_GPU);
        assert_eq!(refusal.log, "the simulator executes PTX only, not the native code of softmax");
        for (at, value) in [(0x28, 0xff), (0x2f, 0xff), (0x12, 62), (0x3e, 9), (128 + 0x1f, 0xff)] {
            let mut damaged = image.clone();
            damaged[at] = value;
            assert_eq!(refused(&damaged, 13_000), Code::INVALID_IMAGE, "{at}");
        }
    }

    #[test]
    fn a_text_longer_than_a_piece_is_read_to_its_end() {
        let text = "x".repeat(10_000) + "\0";
        assert_eq!(read_text(text.as_ptr() as u64).unwrap().len(), 10_000);
        assert_eq!(read_text(16), None);
    }
}
