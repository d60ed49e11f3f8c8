//! CUDA C++ to an image, by NVRTC: for the device's architecture, and only once for a source.

mod cache;

use std::ffi::{CStr, CString, c_char, c_int};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use libloading::os::unix::Library;

use crate::error::CudaError;
use crate::facts::Facts;
use crate::find::environment;
use crate::image::ELF;
use crate::libraries::{self, NotOpened, Opened};
use crate::module::Image;

const NVRTC: &[&str] = &["libnvrtc.so.13", "libnvrtc.so.12"];
/// What the error calls it.
const NAME: &str = "NVRTC (libnvrtc.so.13 or .12)";
/// A header that every folder of CUDA's headers has.
const A_HEADER: &str = "cuda_fp16.h";

/// A program of NVRTC.
type Program = usize;
type GetSize = unsafe extern "C" fn(Program, *mut usize) -> c_int;
type GetBytes = unsafe extern "C" fn(Program, *mut c_char) -> c_int;

/// NVRTC's functions, after its reference, with a number for an answer.
#[derive(Clone, Copy, Debug)]
struct Symbols {
    version: unsafe extern "C" fn(*mut c_int, *mut c_int) -> c_int,
    architecture_count: unsafe extern "C" fn(*mut c_int) -> c_int,
    architectures: unsafe extern "C" fn(*mut c_int) -> c_int,
    create: unsafe extern "C" fn(
        *mut Program,
        *const c_char,
        *const c_char,
        c_int,
        *const *const c_char,
        *const *const c_char,
    ) -> c_int,
    compile: unsafe extern "C" fn(Program, c_int, *const *const c_char) -> c_int,
    destroy: unsafe extern "C" fn(*mut Program) -> c_int,
    log_size: GetSize,
    log: GetBytes,
    cubin_size: GetSize,
    cubin: GetBytes,
    ptx_size: GetSize,
    ptx: GetBytes,
}

/// NVRTC, open for good.
#[derive(Clone, Debug)]
struct Nvrtc {
    symbols: Symbols,
    version: (c_int, c_int),
    /// CUDA's headers, if there are any near.
    headers: Option<PathBuf>,
}

static FOUND: Mutex<Option<Nvrtc>> = Mutex::new(None);

/// What NVRTC made.
pub(crate) struct Compiled {
    image: Vec<u8>,
}

impl Compiled {
    pub(crate) fn image(&self) -> Image<'_> {
        match std::str::from_utf8(&self.image) {
            Ok(text) if !self.image.starts_with(ELF) => Image::Ptx(text.trim_end_matches('\0')),
            _ => Image::Binary(&self.image),
        }
    }
}

fn problem(what: String) -> CudaError {
    CudaError::Library { name: NAME, searched: String::new(), what }
}

/// Compiles for the device's architecture, or takes what was made of the same before.
pub(crate) fn compile(
    facts: &Facts,
    name: &str,
    text: &str,
    options: &[&str],
) -> Result<Compiled, CudaError> {
    let nvrtc = find()?;
    let mut all: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
    if !options.iter().any(|option| option.starts_with("--gpu-architecture") || option.starts_with("-arch")) {
        all.push(format!("--gpu-architecture={}", nvrtc.architecture(facts)));
    }
    // The simulated driver executes PTX only.
    let wanted = if facts.simulated { "ptx" } else { "cubin" };
    let key = format!(
        "NVRTC {:?}\n{wanted}\n{}\n{name}\0{text}",
        nvrtc.version,
        all.iter().map(|option| format!("{option}\0")).collect::<String>(),
    );
    // What other files the source takes in is not in the key.
    let quotes =
        |line: &str| line.trim_start().starts_with('#') && line.contains("include") && line.contains('"');
    let takes_files = text.lines().any(quotes)
        || options.iter().any(|option| {
            ["-I", "--include-path", "-include", "--pre-include"].iter().any(|own| option.starts_with(own))
        });
    let folder = if takes_files { None } else { cache::folder(&environment) };
    if let Some(image) = folder.as_ref().and_then(|folder| cache::read(folder, key.as_bytes())) {
        return Ok(Compiled { image });
    }
    if let Some(headers) = &nvrtc.headers {
        all.push(format!("--include-path={}", headers.display()));
    }
    let image = nvrtc.compile(name, text, &all, facts.simulated)?;
    if let Some(folder) = folder {
        cache::write(&folder, key.as_bytes(), &image);
    }
    Ok(Compiled { image })
}

fn find() -> Result<Nvrtc, CudaError> {
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(nvrtc) = found.as_ref() {
        return Ok(nvrtc.clone());
    }
    let folders = libraries::folders(&environment);
    let Opened { library, path } =
        libraries::open(NVRTC, &folders).map_err(|refusal| CudaError::Library {
            name: NAME,
            searched: libraries::in_words(&folders, &environment),
            what: match refusal {
                NotOpened::Missing => String::new(),
                NotOpened::Refused { path, what } => {
                    format!("the loader refuses {}: {what}", path.display())
                }
            },
        })?;
    let library = libraries::keep(library);
    let symbols =
        load(library).map_err(|symbol| problem(format!("{} lacks the function {symbol}", path.display())))?;
    let mut version = (0, 0);
    // SAFETY: the pointers are to values of the type that is asked for.
    let status = unsafe { (symbols.version)(&mut version.0, &mut version.1) };
    check("nvrtcVersion", status)?;
    if let Some(folder) = path.parent() {
        open_builtins(folder);
    }
    let nvrtc = Nvrtc { symbols, version, headers: headers(&path) };
    Ok(found.insert(nvrtc).clone())
}

fn load(library: &Library) -> Result<Symbols, &'static str> {
    macro_rules! get {
        ($symbol:literal) => {
            // SAFETY: NVRTC's functions have these types since CUDA 11.2, and the library stays open.
            *unsafe { library.get($symbol) }.map_err(|_| $symbol)?
        };
    }
    Ok(Symbols {
        version: get!("nvrtcVersion"),
        architecture_count: get!("nvrtcGetNumSupportedArchs"),
        architectures: get!("nvrtcGetSupportedArchs"),
        create: get!("nvrtcCreateProgram"),
        compile: get!("nvrtcCompileProgram"),
        destroy: get!("nvrtcDestroyProgram"),
        log_size: get!("nvrtcGetProgramLogSize"),
        log: get!("nvrtcGetProgramLog"),
        cubin_size: get!("nvrtcGetCUBINSize"),
        cubin: get!("nvrtcGetCUBIN"),
        ptx_size: get!("nvrtcGetPTXSize"),
        ptx: get!("nvrtcGetPTX"),
    })
}

/// NVRTC opens its built-in functions by name when it compiles; those of its own folder are open by then.
fn open_builtins(folder: &Path) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        if let Some(name) = name.to_str().filter(|name| name.starts_with("libnvrtc-builtins.so."))
            && let Ok(Opened { library, .. }) = libraries::open(&[name], &[folder.to_owned()])
        {
            libraries::keep(library);
        }
    }
}

/// Near the library, as a toolkit and NVIDIA's packages for Python have them, or where a toolkit usually is.
fn headers(library: &Path) -> Option<PathBuf> {
    let near = library.parent().into_iter().flat_map(|folder| {
        ["../include", "../../../include", "../../cuda_runtime/include"].map(|part| folder.join(part))
    });
    let toolkit = ["CUDA_HOME", "CUDA_PATH", "CUDA_ROOT"].into_iter().filter_map(environment);
    let toolkit = toolkit.map(|folder| PathBuf::from(folder).join("include"));
    let usual = [PathBuf::from("/usr/local/cuda/include"), PathBuf::from("/usr/include")];
    near.chain(toolkit).chain(usual).find(|folder| folder.join(A_HEADER).is_file())
}

/// The codes of NVRTC are others than the driver's.
fn check(call: &str, status: c_int) -> Result<(), CudaError> {
    let name = match status {
        0 => return Ok(()),
        1 => "NVRTC_ERROR_OUT_OF_MEMORY",
        2 => "NVRTC_ERROR_PROGRAM_CREATION_FAILURE",
        3 => "NVRTC_ERROR_INVALID_INPUT",
        4 => "NVRTC_ERROR_INVALID_PROGRAM",
        5 => "NVRTC_ERROR_INVALID_OPTION",
        6 => "NVRTC_ERROR_COMPILATION",
        7 => "NVRTC_ERROR_BUILTIN_OPERATION_FAILURE",
        11 => "NVRTC_ERROR_INTERNAL_ERROR",
        _ => "a code that gapbench-cuda does not know",
    };
    let hint = if status == 7 { "; is libnvrtc-builtins in the same folder?" } else { "" };
    Err(problem(format!("{call} answered {name} ({status}){hint}")))
}

/// Destroys the program however its compilation ends.
struct Owned<'a> {
    symbols: &'a Symbols,
    program: Program,
}

impl Drop for Owned<'_> {
    fn drop(&mut self) {
        // SAFETY: nobody else has the program.
        unsafe { (self.symbols.destroy)(&mut self.program) };
    }
}

impl Owned<'_> {
    fn bytes(&self, call: &str, size: GetSize, get: GetBytes) -> Result<Vec<u8>, CudaError> {
        let mut count = 0;
        // SAFETY: the pointer is to a value of the type that is asked for.
        check(call, unsafe { size(self.program, &mut count) })?;
        let mut bytes = vec![0; count];
        // SAFETY: the bytes are as many as was said.
        check(call, unsafe { get(self.program, bytes.as_mut_ptr().cast()) })?;
        Ok(bytes)
    }
}

impl Nvrtc {
    /// The device's own, or the newest before it of which NVRTC knows, as PTX for the driver to compile.
    fn architecture(&self, facts: &Facts) -> String {
        let (major, minor) = facts.compute_capability;
        let own = major * 10 + minor;
        let known = self.architectures();
        let newest = known.iter().copied().filter(|known| *known <= own).max();
        match newest {
            Some(newest) if newest != own => format!("compute_{newest}"),
            _ if facts.simulated => format!("compute_{own}"),
            _ => format!("sm_{own}"),
        }
    }

    fn architectures(&self) -> Vec<c_int> {
        let mut count = 0;
        // SAFETY: the pointer is to a value of the type that is asked for.
        if unsafe { (self.symbols.architecture_count)(&mut count) } != 0 {
            return Vec::new();
        }
        let mut known = vec![0; usize::try_from(count).unwrap_or(0)];
        // SAFETY: there are as many numbers as was said.
        if known.is_empty() || unsafe { (self.symbols.architectures)(known.as_mut_ptr()) } != 0 {
            return Vec::new();
        }
        known
    }

    fn compile(
        &self,
        name: &str,
        text: &str,
        options: &[String],
        as_ptx: bool,
    ) -> Result<Vec<u8>, CudaError> {
        let terminated = |text: &str| {
            CString::new(text)
                .map_err(|_| problem("the source, its name or an option has a zero byte".to_owned()))
        };
        let (source, file) = (terminated(text)?, terminated(name)?);
        let options: Vec<CString> =
            options.iter().map(|option| terminated(option)).collect::<Result<_, _>>()?;
        let pointers: Vec<*const c_char> = options.iter().map(|option| option.as_ptr()).collect();
        let symbols = &self.symbols;
        let mut program = 0;
        let none = std::ptr::null();
        // SAFETY: the texts are terminated, and there are no headers.
        let status = unsafe { (symbols.create)(&mut program, source.as_ptr(), file.as_ptr(), 0, none, none) };
        check("nvrtcCreateProgram", status)?;
        let owned = Owned { symbols, program };
        // SAFETY: there are as many options as is said, each terminated.
        let status = unsafe { (symbols.compile)(program, pointers.len() as c_int, pointers.as_ptr()) };
        // A wrong option is told in the log as an error of the source is.
        if matches!(status, 5 | 6) {
            let log = owned.bytes("nvrtcGetProgramLog", symbols.log_size, symbols.log)?;
            let log = CStr::from_bytes_until_nul(&log).map(|log| log.to_string_lossy().into_owned());
            return Err(CudaError::Compile { name: name.to_owned(), log: log.unwrap_or_default() });
        }
        check("nvrtcCompileProgram", status)?;
        if !as_ptx {
            let cubin = owned.bytes("nvrtcGetCUBIN", symbols.cubin_size, symbols.cubin)?;
            // Of a virtual architecture there is none.
            if !cubin.is_empty() {
                return Ok(cubin);
            }
        }
        owned.bytes("nvrtcGetPTX", symbols.ptx_size, symbols.ptx)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::image::{is_whole, kernels_of_cubin, kernels_of_ptx};

    const SOURCE: &str = "extern \"C\" __global__ void scale(float *data, float factor, bool on) {\n\
                          if (on) data[threadIdx.x] *= factor;\n}";

    #[test]
    fn images_of_a_real_compiler_are_understood() {
        let nvrtc = match find() {
            Ok(nvrtc) => nvrtc,
            Err(error) => {
                writeln!(std::io::stderr(), "SKIPPED images_of_a_real_compiler_are_understood: {error}").ok();
                return;
            }
        };
        let compile = |architecture: &str, as_ptx| {
            let options = [format!("--gpu-architecture={architecture}")];
            nvrtc.compile("scale.cu", SOURCE, &options, as_ptx).unwrap()
        };
        let cubin = compile("sm_90", false);
        assert!(is_whole(&cubin) && !is_whole(&cubin[..cubin.len() - 1]));
        assert_eq!(kernels_of_cubin(&cubin), ["scale"]);
        assert!(matches!(Compiled { image: cubin }.image(), Image::Binary(_)));
        // No machine code comes of a virtual architecture.
        for ptx in [compile("compute_90", false), compile("sm_90", true)] {
            let ptx = Compiled { image: ptx };
            let Image::Ptx(text) = ptx.image() else { panic!("no PTX") };
            assert_eq!(kernels_of_ptx(text), [("scale".to_owned(), Some(vec![8, 4, 1]))]);
        }
        assert!(nvrtc.architectures().contains(&90));
    }
}
