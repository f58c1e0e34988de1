var m,ie,we,P,V,z,se,D,_e,X,J,be,M=Symbol.for("pv"),ae={},F=[],xe=/^m(i|n|o|s|text|space)$/,G=Array.isArray,Se=F.slice,N=Object.assign;function T(t){t&&t.parentNode&&t.remove()}function H(t,e,n,i,s){var o={type:t,props:e,key:n,ref:i,__k:null,__:null,__b:0,__e:null,__c:null,constructor:M,__v:s||++ie,__i:-1,__u:0};return!s&&m.vnode&&m.vnode(o),o}function L(t){return t.children}function O(t,e){this.props=t,this.context=e,this.__g=0}function C(t,e){if(e==null)return t.__&&C(t.__,t.__i+1);for(var n;e<t.__k.length;e++)if((n=t.__k[e])&&n.__e)return n.__e;return typeof t.type!="function"||t.props.__P?null:C(t)}function Pe(t){var e,n=t.__v,i=n.__e,s=[],o=[],_=t.__P;_&&((e=N({constructor:M},n)).__v=n.__v+1,m.vnode&&m.vnode(e),de(_,e,n,t.__n,_.namespaceURI,32&n.__u?[i]:null,s,i||C(n),32&n.__u,o),e.__v=n.__v,e.__.__k[e.__i]=e,Te(s,e,o),n.__=n.__e=null,e.__e!=i&&ue(e))}function ue(t){if((t=t.__)&&t.__c&&!t.props.__P)return t.__e=null,t.__k.some(function(e){return e&&(t.__e=e.__e)}),ue(t)}function oe(t){(8&t.__g||(t.__g|=8,P.push(t),z++))&&V==m.debounceRendering||((V=m.debounceRendering)||queueMicrotask)(ce)}function ce(){try{for(var t,e=1;P.length;)P.length>e&&P.sort(se),t=P.shift(),e=P.length,8&t.__g&&Pe(t)}finally{(z=P.length)&&(V||queueMicrotask)(ce)}}function pe(t,e,n,i,s,o,_,a,u,y,l){var v,d,r,c,k,f,h=i.__k||F,p=e.length;for(u=Ce(n,e,h,u,p),v=0;v<p;v++)(r=n.__k[v])!=null&&(d=~r.__i&&h[r.__i]||ae,r.__i=v,f=de(t,r,d,s,o,_,a,u,y,l),c=r.__e,(d.ref!=r.ref||8&d.__u)&&(d.ref&&K(d.ref,null,r,d),r.ref&&l.push(r.ref,r.__c||c,r)),k=k||c,4&r.__u?(u=fe(r,u,t,!d.__v),d.__e&&(d.__e=null)):typeof r.type=="function"&&f!==void 0?u=f:c&&(u=c.nextSibling),r.__u&=-21);return n.__e=k,u}function Ce(t,e,n,i,s){var o,_,a,u,y,l,v,d,r,c=n.length,k=c,f=0,h=0,p=t.__k=Array(s);for(o=0;o<s;o++)(_=e[o])!=null&&typeof _!="boolean"&&typeof _!="function"?(typeof _!="object"||_.constructor===String?_=p[o]=H(null,_):G(_)?_=p[o]=H(L,{children:_}):_.constructor===M&&_.__b?_=p[o]=H(_.type,_.props,_.key,_.ref,_.__v):p[o]=_,u=o+f,_.__=t,_.__b=t.__b+1,a=null,~(y=_.__i=Re(_,n,u,k))&&(k--,(a=n[y])&&(a.__u|=2)),a&&a.__v?(_.__u|=16,y==u-1?f--:y==u+1?f++:y!=u&&(y>u?f--:f++,h=1)):(~y||(s>c?f--:s<c&&f++),typeof _.type!="function"&&(_.__u|=4))):p[o]=null;if(h){for(l=[],v=[],o=0;o<s;o++)if((_=p[o])&&16&_.__u){for(f=0,d=l.length;f<d;)l[r=f+d>>1]<_.__i?f=r+1:d=r;l[f]=_.__i,v[o]=f+1}for(f=l.length;o--;)v[o]&&(v[o]==f?f--:p[o].__u|=4)}if(k)for(o=0;o<c;o++)!(a=n[o])||2&a.__u||(a.__e==i&&(i=C(a)),Q(a,a));return i}function fe(t,e,n,i){var s,o,_,a;if(typeof t.type=="function"){if(t.props.__P)return e;if(s=t.__k)for(o=0;o<s.length;o++)s[o]&&(s[o].__=t,e=fe(s[o],e,n,!1));return e}for(e&&!e.parentNode&&(e=C(t))&&!e.parentNode&&(e=null),_=t.__e,a=e;a&&a.nodeType==8;)a=a.nextSibling;for(_!=a&&(!i&&n.moveBefore&&_.parentNode?n.moveBefore(_,e):n.insertBefore(_,e||null)),e=_;(e=e&&e.nextSibling)&&e.nodeType==8&&!e.data.startsWith("$s"););return e}function Re(t,e,n,i){var s,o=t.key,_=t.type,a=e[n],u=a&&!(2&a.__u);if(a===null&&o==null||u&&o==a.key&&_==a.type)return n;if(i>(u?1:0)){for(s=n-1;s>=0;s--)if((a=e[s])&&!(2&a.__u)&&o==a.key&&_==a.type)return s;for(s=n+1;s<e.length;s++)if((a=e[s])&&!(2&a.__u)&&o==a.key&&_==a.type)return s}return-1}function re(t,e,n){n==null&&(n=""),e[0]=="-"?t.setProperty(e,n):t[e]=n}function j(t,e,n,i,s){var o,_;if(e=="style")if(typeof n=="string")t.style.cssText=n;else{if(typeof i=="string"&&(t.style.cssText=i=""),i)for(e in i)n&&e in n||re(t.style,e);if(n)for(e in n)i&&n[e]==i[e]||re(t.style,e,n[e])}else if(e[0]=="o"&&e[1]=="n")typeof n!="function"&&(n=null),typeof i!="function"&&(i=null),(t.__e||(t.__e={}))[e]=n,n&&i||(_=J[e]||(J[e]=Ee(e)),(t.__a||(t.__a={}))[e]=X,o=e!=(e=e.replace(_e,"$1")),(e=e.slice(2))[0]<"a"&&(e=e.toLowerCase()),n?t.addEventListener(e,_,o):t.removeEventListener(e,_,o));else{if(s=="http://www.w3.org/2000/svg")e=e.replace(/xlink(H|:h)/,"h").replace(/sName$/,"s");else if(e!="width"&&e!="height"&&e!="href"&&e!="list"&&e!="form"&&e!="tabIndex"&&e!="download"&&e!="rowSpan"&&e!="colSpan"&&e!="role"&&e!="popover"&&e in t)try{return void(t[e]=n??"")}catch{}if(typeof n=="function")return;n==null||n===!1&&e[4]!="-"?t.removeAttribute(e):t.setAttribute(e,e=="popover"&&n==1?"":n)}}function Ee(t){return function(e){var n=this.__e;if(n){if(n=n[t],e[D]==null)e[D]=X++;else if(e[D]<this.__a[t])return;return n(m.event?m.event(e):e)}}}function de(t,e,n,i,s,o,_,a,u,y){var l,v,d,r,c,k,f,h,p,w,g,I,te,W,R,ne,S,E,x=e.type;if(e.constructor!==M)return null;128&n.__u&&(u=32&n.__u,l=n.__c.__z)&&(e.__u|=u,v=o=[],l.nodeType==8?a=A(l,o):o.push(l),a=o[0]||a),(l=m.__b)&&l(e);e:if(typeof x=="function"){d=_.length;try{if(h=e.props,p=(l=x.prototype)&&l.render,w=(l=x.contextType)&&i[l.__c],g=l?w?w.props.value:l.__:i,(r=n.__c)?(e.__c=r,2&r.__g&&(r.__g|=1)):(p?e.__c=r=new x(h,g):(e.__c=r=new O(h,g),r.constructor=x,r.render=Ue),w&&w.sub(r),r.state||(r.state={}),r.__n=i,r.__g|=8,r.__h=[],r.__k=[]),p&&(r.__s||(r.__s=r.state),x.getDerivedStateFromProps&&(r.__s==r.state&&(r.__s=N({},r.__s)),N(r.__s,x.getDerivedStateFromProps(h,r.__s)))),c=r.props,k=r.state,r.__v=e,n.__c){if(h!==c&&p&&!x.getDerivedStateFromProps&&r.componentWillReceiveProps&&r.componentWillReceiveProps(h,g),e.__v==n.__v&&!(8&r.__g)||!(4&r.__g)&&r.shouldComponentUpdate&&r.shouldComponentUpdate(h,r.__s,g)===!1){e.__v!=n.__v&&(r.props=h,r.state=r.__s,r.__g&=-9),e.__e=n.__e,e.__k=n.__k,e.__k.some(function(b){b&&(b.__=e)}),F.push.apply(r.__h,r.__k),r.__k=[],r.__h.length&&_.push(r),a=C(n);break e}r.componentWillUpdate&&r.componentWillUpdate(h,r.__s,g),p&&r.componentDidUpdate&&r.__h.push(function(){r.componentDidUpdate(c,k,f)})}else p&&!x.getDerivedStateFromProps&&r.componentWillMount&&r.componentWillMount(),p&&r.componentDidMount&&r.__h.push(r.componentDidMount);r.context=g,r.props=h,r.__P=t,r.__g&=-5,I=m.__r,te=p?25:0;do r.__g&=-9,I&&I(e),l=r.render(r.props,r.state=r.__s,r.context);while(8&r.__g&&++te<25);p&&(F.push.apply(r.__h,r.__k),r.__k=[]),r.state=r.__s,r.getChildContext&&(i=N({},i,r.getChildContext())),p&&n.__c&&r.getSnapshotBeforeUpdate&&(f=r.getSnapshotBeforeUpdate(c,k)),W=l&&l.type===L&&l.key==null?l.props.children:l,h.__P&&(l=a,s=(t=h.__P).namespaceURI,u=o=null,n.props&&n.props.__P!=t&&(n.__k.some(function(b){b&&Q(b,b)}),n.__k=null),a=n.__k?C(n,0):null),a=pe(t,G(W)?W:[W],e,n,i,s,o,_,a,u,y),h.__P&&(e.__e=null,a=l),e.__u&=-161,v&&v.some(T),r.__h.length&&_.push(r),1&r.__g&&(r.__g&=-4)}catch(b){if(_.length=d,e.__v=null,u||o)if(b&&b.then){if(e.__u|=128|u,o){for(~(S=o.indexOf(a||void 0))||(S=o.length);(E=o[S-1])&&E.nodeType==8;)S--;for(;S<o.length;S++)if(E=o[S])if(o[S]=null,R){if(E==ne)break}else{if(E.nodeType!=8)break;E.data.startsWith("$s")&&(ne=A(R=E))}}if(!R){for(;a&&a.nodeType==8&&a.nextSibling;)a=a.nextSibling;R=a}(l=A(R=e.__c.__z||(e.__c.__z=R)))?(e.__e=R,a=l):e.__e=a,a=a&&a.nextSibling}else o&&o.some(T);else e.__e=n.__e;e.__k||(e.__k=n.__k||[]),b&&b.then||he(e),m.__e(b,e,n)}}else a=e.__e=Ne(n.__e,e,n,i,s,o,_,u,y,t);return(l=m.diffed)&&l(e),a}function A(t,e){if(t&&t.nodeType==8&&t.data.startsWith("$s"))for(var n=1;t=t.nextSibling;){if(t.nodeType==8){if(t.data.startsWith("$s"))n++;else if(t.data.startsWith("/$s")&&!--n)return t}e&&e.push(t)}}function he(t){t&&(t.__c&&(t.__c.__g|=4),t.__k&&t.__k.some(he))}function Te(t,e,n){for(var i=0;i<n.length;)K(n[i++],n[i++],n[i++]);m.__c&&m.__c(e,t),t.some(function(s){try{t=s.__h,s.__h=[],t.some(function(o){o.call(s)})}catch(o){m.__e(o,s.__v)}})}function Ne(t,e,n,i,s,o,_,a,u,y){var l,v,d,r,c,k,f,h,p=n.props||ae,w=e.props,g=e.type;if(g=="svg"?s="http://www.w3.org/2000/svg":g=="math"?s="http://www.w3.org/1998/Math/MathML":s||(s="http://www.w3.org/1999/xhtml"),o){for(l=0;l<o.length;l++)if((c=o[l])&&(g?c.localName==g:c.nodeType==3)){t=c,o[l]=null;break}}if(!t){if(h=y.ownerDocument||document,!g)return h.createTextNode(w);t=h.createElementNS(s,g,w.is?w:y),a&&(m.__m&&m.__m(e,o),a=!1),o=null}if(g){if(y=g=="template"&&t.content||t,o=g=="textarea"&&w.defaultValue!=null?null:o&&Se.call(y.childNodes),!a&&o)for(p={},l=0;l<t.attributes.length;l++)p[(c=t.attributes[l]).name]=c.value;for(l in p)c=p[l],l=="dangerouslySetInnerHTML"?d=c:l=="children"||l in w||l=="value"&&"defaultValue"in w||l=="checked"&&"defaultChecked"in w||j(t,l,null,c,s);for(l in w)c=w[l],l=="children"?r=c:l=="dangerouslySetInnerHTML"?v=c:l=="value"?k=c:l=="checked"?f=c:a&&typeof c!="function"||p[l]===c||j(t,l,c,p[l],s);v?(a||d&&(v.__html==d.__html||v.__html==t.innerHTML)||(t.innerHTML=v.__html),e.__k=[]):(d&&(t.textContent=""),(g=="foreignObject"||s=="http://www.w3.org/1998/Math/MathML"&&xe.test(g))&&(s="http://www.w3.org/1999/xhtml"),pe(y,G(r)?r:[r],e,n,i,s,o,_,o?o[0]:n.__k&&C(n,0),a,u),o&&o.some(T)),a&&g!="textarea"||(l="value",g=="progress"&&k==null?t.removeAttribute(l):k==null||k===t[l]&&(g!="progress"||k)||j(t,l,k,p[l],s),l="checked",f!=null&&f!=t[l]&&j(t,l,f,p[l],s))}else p===w||a&&t.data==w||(t.data=w);return t}function K(t,e,n,i){try{typeof t=="function"?e?e.__x=t(e)||1:i&&(i=i.__c||i.__e)&&(e=i.__x)&&(i.__x=null,typeof e=="function"?e():t(null)):t.current=e}catch(s){m.__e(s,n)}}function Q(t,e,n){var i,s,o,_;if(m.unmount&&m.unmount(t),!(i=t.ref)||i.current&&i.current!=t.__e||K(i,null,e,t),i=t.__c){if(i.componentWillUnmount)try{i.componentWillUnmount()}catch(a){m.__e(a,e)}i.__P=i.__n=null}if(i=t.__k)for(_=0;_<i.length;_++)i[_]&&Q(i[_],e,typeof t.type!="function"||n&&!t.props.__P);!n&&(i=t.__c)&&(i=i.__z)&&(s=A(i,o=[]))&&(i==t.__e&&o.some(T),T(s),T(i)),n||T(t.__e),t.__e=t.__c=t.__=null}function Ue(t,e,n){return this.constructor(t,n)}m={__e:function(t,e,n,i){for(var s,o,_;e=e.__;)if((s=e.__c)&&!(1&s.__g)){s.__g|=4;try{if((_=(o=s.constructor)&&o.getDerivedStateFromError)&&s.setState(o.getDerivedStateFromError(t)),s.componentDidCatch&&(s.componentDidCatch(t,i||{}),_=1),_&&8&s.__g)return void(s.__g|=2)}catch(a){t=a}}throw z=0,t}},ie=0,we=function(t){return t!=null&&t.constructor===M},O.prototype.setState=function(t,e){var n=this.__s;n&&n!=this.state||(n=this.__s=N({},this.state)),typeof t=="function"&&(t=t(N({},n),this.props)),t&&(N(n,t),this.__v&&(e&&this.__k.push(e),oe(this)))},O.prototype.forceUpdate=function(t){this.__v&&(this.__g|=4,t&&this.__h.push(t),oe(this))},O.prototype.render=L,P=[],z=0,se=function(t,e){return t.__v.__b-e.__v.__b},D=Symbol(),_e=/(PointerCapture)$|Capture$/i,X=0,J={},be=0;var ge=`"""Runs a cell as a notebook does: what the last line gives is shown, and an error is told in the reader's own lines."""

import ast
import io
import json
import logging
import os
import sys
import traceback
import warnings

os.environ["MPLBACKEND"] = "agg"  # there is no window
logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it would tell that it looks for fonts
warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")  # plt.show(): the page does show it


names = {"__name__": "__main__"}  # of all cells
sources = {}


def run(source, name):
    """Run a cell; return as JSON what its last line gives and the figures it leaves open in pyplot.

    Or else its error and, in \`missing\`, a name that it does not know.
    """
    sources[name] = source.splitlines()
    try:
        tree = ast.parse(source, name)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, name, "exec"), names)
        value = None if last is None else eval(compile(ast.Expression(last.value), name, "eval"), names)
        answer = {} if value is None or source.rstrip().endswith(";") else shown(value)
        if figures := open_figures():
            answer["figures"] = figures
    except BaseException as error:  # SystemExit too: what the reader wrote does not end Python
        answer = {"error": told(error, name)}
        if isinstance(error, NameError):
            answer["missing"] = error.name
    finally:
        if pyplot := sys.modules.get("matplotlib.pyplot"):
            pyplot.close("all")
        sys.stdout.flush()
        sys.stderr.flush()
    return json.dumps(answer)


def shown(value):
    for form in ("svg", "html"):
        made = getattr(value, f"_repr_{form}_", None)
        if made is not None and (text := made()) is not None:
            return {form: text}
    matplotlib = sys.modules.get("matplotlib.figure")
    if matplotlib and isinstance(value, matplotlib.Figure):
        return {"svg": drawn(value)}
    return {"text": in_lines(value)}


def open_figures():
    """Those of pyplot, as SVG."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    return [drawn(pyplot.figure(number)) for number in pyplot.get_fignums()] if pyplot else []


def drawn(figure):
    svg = io.StringIO()
    figure.savefig(svg, format="svg", bbox_inches="tight")
    return svg.getvalue()


def in_lines(value):
    """The value as a notebook prints it: a tuple or list that does not fit a line has a line an entry."""
    text = repr(value)
    if type(value) not in (tuple, list) or ("\\n" not in text and len(text) < 80):
        return text
    opening, closing = text[0], text[-1]
    entries = (in_lines(each).replace("\\n", "\\n ") for each in value)
    return opening + ",\\n ".join(entries) + ("," if type(value) is tuple and len(value) == 1 else "") + closing


def told(error, name):
    """The error itself, and under it the lines of the cells that led to it."""
    text = traceback.format_exception_only(error)[-1].strip()
    if isinstance(error, SyntaxError):
        return f"{text}\\n  line {error.lineno}: {(error.text or '').strip()}"
    for step in reversed(traceback.extract_tb(error.__traceback__)):
        if step.filename in sources:
            where = "line" if step.filename == name else "in a cell above, line"
            text += f"\\n  {where} {step.lineno}: {sources[step.filename][step.lineno - 1].strip()}"
    return text
`;var U=t=>postMessage(t),q=new URL("../python/",location.href).href;function me(t){let e=new URL(t,location.href);if(e.origin!==location.origin)throw new TypeError(`${e.origin} is another site: this page asks only its own`);return e}var Me=XMLHttpRequest.prototype.open;XMLHttpRequest.prototype.open=function(t,e,n=!0){Me.call(this,t,me(e),n)};for(let t of["WebSocket","EventSource","WebTransport"])Reflect.deleteProperty(self,t);var Y=0,B=0;function ye(t){B+=t,t>0&&U({kind:"loading",done:Y,total:B})}var ve=fetch.bind(self);self.fetch=async(t,e)=>{let n=me(t instanceof Request?t.url:t),i=await ve(t,e);if(!i.ok)throw new Error(`${n.pathname} gave ${i.status}`);let s=i.body?.pipeThrough(new TransformStream({transform(o,_){Y+=o.length,U({kind:"loading",done:Math.min(Y,B),total:B}),_.enqueue(o)}}));return new Response(s??null,{headers:i.headers})};var $,Z=new Set;function ee(t,e=new Set){for(let n of t){let i=$.packages[n];!i||e.has(n)||Z.has(n)||(e.add(n),ee(i.depends,e))}return e}function ke(t){return[...t].reduce((e,n)=>e+($.packages[n]?.size??0),0)}async function $e(){let t=await ve(`${q}pyodide-lock.json`);if(!t.ok)throw new Error(`Python is not on this site (${t.status})`);$=await t.json();let e=ee(["numpy"]),n=Object.entries($.core).filter(([u])=>!/\.m?js$/.test(u));ye(n.reduce((u,[,{size:y}])=>u+y,ke(e)));let i=fetch(`${q}softmax_lib.zip`).then(u=>u.arrayBuffer()),{loadPyodide:s}=await import(`${q}pyodide.mjs`),o=await s({indexURL:q,packages:[...e],enableRunUntilComplete:!1});e.forEach(u=>Z.add(u)),U({kind:"starting"}),o.unpackArchive(await i,"zip",{extractDir:"/lib/python3.12/site-packages"});let _={batched:u=>U({kind:"print",text:`${u}
`})};o.setStdout(_),o.setStderr(_);let a=o.toPy({});return o.runPython(ge,{globals:a}),{python:o,runCell:a.get("run")}}async function We(t,e){let n=[];try{n=t.pyimport("pyodide.code").find_imports(e).toJs()}catch{}n.includes("softmax_lib")&&/\bfigures\b/.test(e)&&n.push("matplotlib");let i=Object.values($.packages).filter(o=>o.imports.some(_=>n.includes(_))),s=ee(i.map(({name:o})=>o));s.size!==0&&(ye(ke(s)),await t.loadPackage([...s],{messageCallback:()=>{}}),s.forEach(o=>Z.add(o)))}var je;async function De({code:t,name:e}){let{python:n,runCell:i}=await(je??=$e());return await We(n,t),U({kind:"running"}),JSON.parse(i(t,e))}addEventListener("message",({data:t})=>{De(t).then(e=>U({kind:"done",outcome:e}),e=>U({kind:"broken",reason:e instanceof Error?e.message:String(e)}))});
